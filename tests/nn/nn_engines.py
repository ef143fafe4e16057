"""Engines that a layer's graph runs on, one block a step; each is compared with torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import torch
from ai_edge_litert.interpreter import Interpreter
from torch import Tensor

from edge_vc.nn import StreamingLayer
from edge_vc_export.onnx.cleanup import clean, tidy
from edge_vc_export.onnx.export import trace
from edge_vc_export.onnx.layout import put_channels_last
from edge_vc_export.onnx.qdq import quantize_graph
from edge_vc_export.tflite.lowering import lower

onnxruntime.set_default_logger_severity(3)

Engine = Callable[[StreamingLayer, Tensor, int], Tensor]
"""Streams ``x`` ``[1, C, H, T]`` through a layer in steps of so many blocks; returns its output."""


def run_torch(layer: StreamingLayer, x: Tensor, blocks: int = 1) -> Tensor:
    state, outputs = layer.init_state(x.shape[0]), []
    with torch.no_grad():
        for block in x.split(blocks * layer.block, dim=-1):
            y, state = layer.step(block, state)
            outputs.append(y)
    return torch.cat(outputs, dim=-1)


def run_onnxruntime(layer: StreamingLayer, x: Tensor, blocks: int = 1) -> Tensor:
    model = trace(layer, x[..., : blocks * layer.block]).to_model({})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    inputs = {i.name: np.zeros(i.shape, np.float32) for i in session.get_inputs()}
    outputs: list[Any] = []
    for block in x.split(blocks * layer.block, dim=-1):
        if "audio" in inputs:
            inputs["audio"] = block.numpy()
        y, *following = session.run(None, inputs)
        names = [o.name.replace("next.", "state.", 1) for o in session.get_outputs()[1:]]
        inputs |= {n: v for n, v in zip(names, following, strict=True) if n in inputs}
        outputs.append(torch.from_numpy(y))
    return torch.cat(outputs, dim=-1)


def run_litert(layer: StreamingLayer, x: Tensor, blocks: int = 1) -> Tensor:
    graph = clean(trace(layer, x[..., : blocks * layer.block]))
    put_channels_last(graph)
    quantize_graph(graph)
    interpreter = Interpreter(model_content=lower(tidy(graph), {}), num_threads=1)
    interpreter.allocate_tensors()
    inputs = {d["name"]: d for d in interpreter.get_input_details()}
    results = {d["name"]: d["index"] for d in interpreter.get_output_details()}
    values = {name: np.zeros(d["shape"], np.float32) for name, d in inputs.items()}
    outputs: list[Any] = []
    for block in x.split(blocks * layer.block, dim=-1):
        for name, value in (values | {"audio": block.numpy()}).items():
            if name in inputs:
                interpreter.set_tensor(inputs[name]["index"], value)
        interpreter.invoke()
        for name in values:
            if name != "audio":
                values[name] = interpreter.get_tensor(results[name.replace("state.", "next.", 1)])
        outputs.append(torch.from_numpy(interpreter.get_tensor(results["audio_out"])))
    return torch.cat(outputs, dim=-1)


ENGINES: dict[str, Engine] = {"onnxruntime": run_onnxruntime, "litert": run_litert}
"""Every engine the project ships; a new one joins the long-run comparison by an entry here."""
