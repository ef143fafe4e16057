"""Bounds on the cycles that a core needs for counted instructions; never a measurement.

The figures and their sources are in `edge_vc_boards.emulation.core_rates`. Caches, branch
prediction and latencies are not modelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_vc_boards.emulation.core_rates import RATES, CoreRates, Rate
from edge_vc_boards.emulation.error import EmulationError

_SIMD = ("simd", "float_fma", "widening", "dot_product")
_OTHERS = ("memory", "integer", "branch")


@dataclass(frozen=True)
class CoreModel:
    """A core, described by its rates; counts use the classes of `icount.c`."""

    rates: CoreRates

    def fewest_cycles(self, counts: Mapping[str, float]) -> float:
        """Return the cycles if the busiest pipe is never idle: a lower bound."""
        found = _by_rate(counts)
        needed = [number / self._rate(name).most for name, number in found.items()]
        simd = sum(found[name] for name in _SIMD) / self.rates.simd.most
        return max(simd, sum(found.values()) / self.rates.width.most, *needed)

    def most_cycles(self, counts: Mapping[str, float]) -> float:
        """Return the cycles if only one pipe works at a time, with all data in the L1 cache."""
        found = _by_rate(counts)
        serial = sum(number / self._rate(name).least for name, number in found.items())
        return max(sum(found.values()) / self.rates.width.least, serial)

    def _rate(self, name: str) -> Rate:
        rate: Rate = getattr(self.rates, name)
        return rate


def _by_rate(counts: Mapping[str, float]) -> dict[str, float]:
    found = {name: counts.get(name, 0.0) for name in (*_SIMD, *_OTHERS)}
    found["dot_product"] += counts.get("matrix", 0.0)
    return found


def core_model(core: str) -> CoreModel:
    """Return a core's model; raises `EmulationError` for a core without one."""
    if core not in RATES:
        raise EmulationError(
            f"no latency can be estimated for a {core:.60}: known are {', '.join(RATES)}"
        )
    return CoreModel(RATES[core])
