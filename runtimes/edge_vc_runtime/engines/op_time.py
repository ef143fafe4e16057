"""Time per kind of graph node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpTime:
    """One kind of graph node.

    With ONNX Runtime from its own profiler, which slows every node slightly; with LiteRT from each
    node run separately, plus one entry without nodes for the rest of a hop's time.
    """

    op: str
    nodes: int
    us_per_hop: float
    share: float
