"""The cost of one hop on a board in executed instructions, counted under emulation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.board import Board
from edge_vc_boards.emulation.counts import InstructionCounts
from edge_vc_boards.emulation.error import EmulationError
from edge_vc_boards.emulation.run import SHARE, run_on
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines import engines_for

_WHOLE, _ALONE = 1, 2


@dataclass(frozen=True)
class HopCost:
    """Instructions per hop by class; see `edge_vc_boards.emulation.counts.InstructionCounts`."""

    engine: str
    version: str
    model: str
    """File in the bundle."""
    steps: int
    """Hops that were counted."""
    whole: Mapping[str, float]
    """Per hop of `Session.step`, Python and numpy included."""
    alone: Mapping[str, float]
    """Per hop of the engine's run alone."""

    @property
    def total(self) -> float:
        """Instructions of one whole step."""
        return sum(self.whole.values())

    @property
    def engine_total(self) -> float:
        """Instructions of the engine alone."""
        return sum(self.alone.values())


def engine_precisions(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield engine and precision of every model that the emulated root can run."""
    for kind in engines_for({model.format for model in manifest.models}):
        precisions = [model.precision for model in manifest.models if model.format in kind.formats]
        for precision in dict.fromkeys(precisions):
            yield kind.name, precision


def hop_cost(
    board: Board,
    bundle: Path,
    engine: str,
    precision: str,
    *,
    steps: int = 50,
    root: Path | None = None,
) -> HopCost:
    """Count ``steps`` hops of the bundle's golden recording on an emulated board, one thread.

    Raises `EmulationError` when nothing can be emulated here or the steps fail.
    """
    command = ["python3", "-m", "edge_vc_boards.emulation.hop_counter", f"{SHARE}/{bundle.name}"]
    command += [engine, precision, str(steps)]
    done = run_on(board, command, root=root, share=bundle.absolute().parent, count=True)
    if done.code:
        complaint = done.stderr.strip().splitlines() or [f"exit code {done.code}"]
        raise EmulationError(f"{board.name}, {bundle.name}, {engine} {precision}: {complaint[-1]}")
    said = json.loads(done.stdout)
    name, version = said["engine"]
    whole, alone = (_per_hop(done.counts, mark, steps) for mark in (_WHOLE, _ALONE))
    return HopCost(name, version, said["model"], steps, whole, alone)


def _per_hop(counts: tuple[InstructionCounts, ...], mark: int, steps: int) -> dict[str, float]:
    for found in counts:
        if found.mark == mark:
            return {kind: number / steps for kind, number in found.by_class.items()}
    raise EmulationError(f"the counter saw no mark {mark}")
