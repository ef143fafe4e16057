"""An estimate of a board's time per hop from counted instructions, not a measurement.

It lies between two bounds. The lower one assumes that the core's busiest pipe is never idle and all
data is in the cache. The upper one assumes that no two pipes work in parallel; for paced hops,
whose cached data is evicted by whatever runs in between, it also reads the whole model from memory
in every hop, at the lowest published memcpy rate of such a board. The estimate is their geometric
mean.
"""

from __future__ import annotations

import math

from edge_vc_boards.board import Board
from edge_vc_boards.emulation.core_model import core_model
from edge_vc_boards.emulation.hop_cost import HopCost
from edge_vc_runtime.profiling.estimate import HopEstimate, InstructionShare, TimeBounds

METHOD = (
    "low: the busiest pipe of the core never waits, caches warm; high: no two pipes at once, paced "
    "also the model read from memory every hop; estimate: their geometric mean at the highest clock"
)
NOT_KNOWN = (
    "not compared with a board; without kernel, audio drivers, stalls on latencies and branches, "
    "a lower clock, heat, and other processes"
)


def estimate_hop(board: Board, cost: HopCost, model_bytes: int) -> HopEstimate:
    """Return the cost of one whole step in ms; ``model_bytes`` is the size of the model's file.

    Raises `EmulationError` for a core without a model, `BoardError` for a board without a CPU.
    """
    cpu, emulation = board.processor()
    model = core_model(cpu.core)
    cycles_per_ms = cpu.clock_mhz * 1e3
    memory_ms = None
    if cpu.memcpy_mb_per_s:
        memory_ms = model_bytes / (min(cpu.memcpy_mb_per_s) * 1e3)
    low = model.fewest_cycles(cost.whole) / cycles_per_ms
    high = model.most_cycles(cost.whole) / cycles_per_ms
    unknown = "" if memory_ms is not None else "; no memory rate of this board is published"
    return HopEstimate(
        board=board.name,
        core=cpu.core,
        emulated_core=emulation.cpu,
        clock_mhz=cpu.clock_mhz,
        hops=cost.steps,
        instructions=cost.total,
        engine_instructions=cost.engine_total,
        classes=tuple(InstructionShare(kind, count) for kind, count in cost.whole.items()),
        tight=_bounds(low, high),
        paced=None if memory_ms is None else _bounds(low, high + memory_ms),
        memory_ms=memory_ms,
        method=METHOD,
        not_known=NOT_KNOWN + unknown,
    )


def _bounds(low: float, high: float) -> TimeBounds:
    return TimeBounds(low, math.sqrt(low * high), high)
