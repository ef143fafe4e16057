"""Time per kind of graph node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpTime:
    """One kind of graph node.

    Under ONNX Runtime by its own profiler, which slows every node a little; under LiteRT each node
    run alone, and one entry without nodes for what a hop takes beyond their sum.
    """

    op: str
    nodes: int
    us_per_hop: float
    share: float
