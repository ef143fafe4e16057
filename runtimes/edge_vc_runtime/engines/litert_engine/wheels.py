"""Exact versions of LiteRT and its dependencies, per Python, as far as there are aarch64 wheels.

3.11 matches ``constraints.txt``; the others are the newest available for their Python.
"""

from __future__ import annotations

from collections.abc import Mapping

_PINS = {
    "ai-edge-litert": "2.3.0",
    "backports.strenum": "1.2.8",
    "flatbuffers": "25.12.19",
    "ml_dtypes": "0.6.0",
    "protobuf": "7.36.2",
    "tqdm": "4.70.1",
    "typing_extensions": "4.16.0",
}
WHEELS: Mapping[str, Mapping[str, str]] = {
    "3.10": _PINS,
    "3.11": _PINS,
    "3.12": _PINS,
    "3.13": _PINS,
}
