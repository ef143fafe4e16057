"""Integer constants in a graph: sizes, axes and positions."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.engines.litert_engine.tflite_graph import Tensor

INT32, INT64 = 2, 4
"""Numbers of types in TFLite's schema."""
_INDEX = {INT32: np.int32, INT64: np.int64}


def numbers(tensor: Tensor | None) -> list[int] | None:
    """Return the values of an integer constant, None for anything else."""
    if tensor is None or tensor.data is None or tensor.type not in _INDEX:
        return None
    return [int(value) for value in np.frombuffer(tensor.data, _INDEX[tensor.type])]
