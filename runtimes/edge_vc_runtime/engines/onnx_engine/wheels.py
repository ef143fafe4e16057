"""Exact versions of ONNX Runtime and its dependencies, per Python that has aarch64 wheels.

3.11 matches ``constraints.txt``; the others are the newest available for their Python.
"""

from __future__ import annotations

from collections.abc import Mapping

_SHARED = {"flatbuffers": "25.12.19", "packaging": "26.3", "protobuf": "7.36.2"}
_PINS = {**_SHARED, "onnxruntime": "1.31.1"}
WHEELS: Mapping[str, Mapping[str, str]] = {
    # onnxruntime 1.24 dropped Python 3.10.
    "3.10": {
        **_SHARED,
        "coloredlogs": "15.0.1",
        "humanfriendly": "10.0",
        "mpmath": "1.3.0",
        "onnxruntime": "1.23.2",
        "sympy": "1.14.0",
    },
    "3.11": _PINS,
    "3.12": _PINS,
    "3.13": _PINS,
}
