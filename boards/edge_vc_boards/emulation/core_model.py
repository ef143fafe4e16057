"""How many instructions of each class a core can finish per cycle: bounds, never a measurement.

The figures are the issue width and the pipes that the makers document: Arm's Software Optimization
Guides of Cortex-A57, A72, A76 and A78 (the A78AE is an A78 that can run in lock-step), and for the
Cortex-A53, which has none, the scheduling models that LLVM and GCC keep. Where what is published
disagrees, or where it depends on the operands, each bound takes the figure on its own side. Caches,
branch prediction and latencies are not in it.
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
    """At least."""
    float_fma_best: float
    """At most: LLVM lets the Cortex-A72 finish one of 128 bits, as the A57 does; others say two."""
    widening: float
    """Multiplications with a wider result."""
    dot_product: float
    """Also matrix products."""
    memory: float
    """Loads and stores together: 128-bit ones of one kind."""
    memory_best: float
    """Those of up to 64 bits, loads and stores mixed as suits the pipes."""
    integer: float
    branch: float

    def fewest_cycles(self, counts: Mapping[str, float]) -> float:
        """Return the cycles if every pipe works all the time: no core needs fewer."""
        pipes = self._by_pipe(counts, self.float_fma_best, self.memory_best)
        return max(sum(counts.values()) / self.width, *pipes)

    def most_cycles(self, counts: Mapping[str, float]) -> float:
        """Return the cycles if one pipe waits for the other, with all data in the first cache."""
        pipes = self._by_pipe(counts, self.float_fma, self.memory)
        return max(sum(counts.values()) / self.width, sum(pipes))

    def _by_pipe(
        self, counts: Mapping[str, float], float_fma: float, memory: float
    ) -> tuple[float, ...]:
        """Return the cycles of the SIMD pipes, which its classes share, and of each other pipe."""
        dot = counts.get("dot_product", 0.0) + counts.get("matrix", 0.0)
        simd = (
            counts.get("simd", 0.0) / self.simd
            + counts.get("float_fma", 0.0) / float_fma
            + counts.get("widening", 0.0) / self.widening
            + dot / self.dot_product
        )
        return (
            simd,
            counts.get("memory", 0.0) / memory,
            counts.get("integer", 0.0) / self.integer,
            counts.get("branch", 0.0) / self.branch,
        )


CORES: Mapping[str, CoreModel] = {
    #                        width simd fma best widening dot memory best integer branch
    "Cortex-A53": CoreModel(2, 1, 1, 1, 1, 1, 0.5, 1, 2, 1),
    "Cortex-A57": CoreModel(3, 2, 1, 1, 1, 1, 1, 2, 2, 1),
    "Cortex-A72": CoreModel(3, 2, 1, 2, 1, 1, 1, 2, 2, 1),
    "Cortex-A76": CoreModel(4, 2, 2, 2, 1, 2, 2, 2, 3, 1),
    "Cortex-A78AE": CoreModel(6, 2, 2, 2, 1, 2, 2, 3, 4, 2),
}
"""By the name in a board's profile. A core without a dot product never counts one."""


def core_model(core: str) -> CoreModel:
    """Return a core's model; raises `EmulationError` for a core that has none."""
    if core not in CORES:
        raise EmulationError(
            f"no latency can be estimated for a {core:.60}: known are {', '.join(CORES)}"
        )
    return CORES[core]
