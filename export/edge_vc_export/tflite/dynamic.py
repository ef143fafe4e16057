"""Dynamic quantisation: integer weights, activations quantised in every run, no calibration."""

from __future__ import annotations

from typing import cast

import numpy as np

from edge_vc_export.formats import DYNAMIC
from edge_vc_export.onnx.graph import Array, Graph, attribute
from edge_vc_export.tflite.model import TensorQuantParams

_LIMIT = 127


def integer_weights(graph: Graph) -> frozenset[str]:
    """Return the names of the weights to store as integers: the trunk's 1x1 convolutions.

    Raises `ValueError` if there are none.
    """
    found = frozenset(
        str(node.input[1])
        for node in graph.nodes
        if node.op_type == "Conv"
        and node.input[1].removeprefix("layer.").startswith("trunk.")
        and cast(int, attribute(node, "group", 1)) == 1
        and graph.constants.get(node.input[1]) is not None
    )
    if not found:
        raise ValueError(f"{DYNAMIC}: the graph has no float convolution in a trunk to quantise")
    return found


def round_weights(weights: Array) -> tuple[Array, TensorQuantParams]:
    """Return ``[out, in, h, w]`` as symmetric integers with one scale per output channel."""
    largest = np.abs(weights).max(axis=(1, 2, 3))
    scale = np.maximum(largest, np.finfo(np.float32).tiny) / _LIMIT
    integers = np.rint(weights / scale[:, None, None, None]).astype(np.int8)
    return integers, TensorQuantParams(scale.astype(np.float32))
