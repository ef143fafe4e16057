"""How many instructions of each class a core can finish per cycle: bounds, never a measurement.

The figures are the issue width and the pipes that the makers document: Arm's Software Optimization
Guides of Cortex-A57, A72, A76 and A78 (the A78AE is an A78 that can run in lock-step), and for the
Cortex-A53, which has none, the scheduling model that LLVM keeps. Caches, branch prediction and
latencies are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_vc_boards.emulation.error import EmulationError


@dataclass(frozen=True)
class CoreModel:
    """Instructions per cycle, by what they need; 128-bit operands for SIMD and memory."""

    width: float
    """Instructions that are issued per cycle, of all classes together."""
    simd: float
    """SIMD and floating point, other than below."""
    float_fma: float
    widening: float
    """Multiplications with a wider result."""
    dot_product: float
    """Also matrix products."""
    memory: float
    """Loads and stores together."""
    integer: float
    branch: float

    def fewest_cycles(self, counts: Mapping[str, float]) -> float:
        """Return the cycles if every pipe works all the time: no core needs fewer."""
        return max(sum(counts.values()) / self.width, *self._by_pipe(counts))

    def most_cycles(self, counts: Mapping[str, float]) -> float:
        """Return the cycles if one pipe waits for the other, with all data in the first cache."""
        return max(sum(counts.values()) / self.width, sum(self._by_pipe(counts)))

    def _by_pipe(self, counts: Mapping[str, float]) -> tuple[float, ...]:
        """Return the cycles of the SIMD pipes, which its classes share, and of each other pipe."""
        dot = counts.get("dot_product", 0.0) + counts.get("matrix", 0.0)
        simd = (
            counts.get("simd", 0.0) / self.simd
            + counts.get("float_fma", 0.0) / self.float_fma
            + counts.get("widening", 0.0) / self.widening
            + dot / self.dot_product
        )
        rest = (
            counts.get(name, 0.0) / getattr(self, name) for name in ("memory", "integer", "branch")
        )
        return (simd, *rest)


CORES: Mapping[str, CoreModel] = {
    #                        width simd fma widening dot memory integer branch
    "Cortex-A53": CoreModel(2, 1, 1, 1, 1, 0.5, 2, 1),
    "Cortex-A57": CoreModel(3, 2, 1, 1, 1, 1, 2, 1),
    "Cortex-A72": CoreModel(3, 2, 2, 1, 1, 1, 2, 1),
    "Cortex-A76": CoreModel(4, 2, 2, 1, 2, 2, 3, 1),
    "Cortex-A78AE": CoreModel(6, 2, 2, 1, 2, 2, 4, 2),
}
"""By the name in a board's profile. A core without a dot product never counts one."""


def core_model(core: str) -> CoreModel:
    """Return a core's model; raises `EmulationError` for a core that has none."""
    if core not in CORES:
        raise EmulationError(
            f"no latency can be estimated for a {core:.60}: known are {', '.join(CORES)}"
        )
    return CORES[core]
