"""Lowering of quantise and dequantise operations."""

from __future__ import annotations

from collections.abc import Callable

import onnx
from ai_edge_litert import schema_py_generated as schema

from edge_vc_export.tflite.quant_params import is_integer
from edge_vc_export.tflite.tensor_map import TensorMap

Lower = Callable[[TensorMap, onnx.NodeProto], None]


def _quantize(tensors: TensorMap, node: onnx.NodeProto) -> None:
    source = tensors.forms(node.input[0])[0]
    result = tensors.new(node.output[0], source.shape, source.order)
    options = schema.QuantizeOptionsT()
    tensors.builder.operator("QUANTIZE", [source.index], [result], options=options)


def _dequantize(tensors: TensorMap, node: onnx.NodeProto) -> None:
    if node.input[0] in tensors.graph.constants:
        return  # weights: the convolution reads the integers directly
    if all(is_integer(tensors.graph, reader) for reader in tensors.graph.consumers(node.output[0])):
        return
    source = tensors.forms(node.input[0])[0]
    result = tensors.new(node.output[0], source.shape, source.order)
    options = schema.DequantizeOptionsT()
    tensors.builder.operator("DEQUANTIZE", [source.index], [result], version=2, options=options)


QUANTIZATION: dict[str, Lower] = {"DequantizeLinear": _dequantize, "QuantizeLinear": _quantize}
