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
from edge_vc_runtime.profiling.report import Machine, Setup, Subject
from edge_vc_runtime.schema.records import from_json_value

_WHOLE, _ALONE, _EACH = 1, 2, 3


@dataclass(frozen=True)
class HopCost:
    """Instructions per hop by class; see `edge_vc_boards.emulation.counts.InstructionCounts`."""

    engine: str
    version: str
    model: str
    """File name in the bundle."""
    steps: int
    """Number of counted hops."""
    whole: Mapping[str, float]
    """Per hop of `Session.step`, including Python and numpy."""
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
        if not kind.wheels:
            continue
        precisions = [model.precision for model in manifest.models if kind.reads(model)]
        for precision in dict.fromkeys(precisions):
            yield kind.name, precision


@dataclass(frozen=True)
class CountedRun:
    """Counted hops, and what ran: the parts of a report that emulation can provide."""

    cost: HopCost
    each: tuple[float, ...]
    """Instructions of each hop, including those of the mark itself."""
    subject: Subject
    setup: Setup
    machine: Machine


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

    Raises `EmulationError` if emulation is not possible here or the steps fail.
    """
    return count_run(board, bundle, engine, precision, steps=steps, root=root).cost


def count_run(
    board: Board,
    bundle: Path,
    engine: str = "auto",
    precision: str | None = None,
    tier: str | None = None,
    *,
    steps: int = 50,
    root: Path | None = None,
) -> CountedRun:
    """Count as `hop_cost` does; anything not given is selected as the board would select it."""
    command = ["python3", "-m", "edge_vc_boards.emulation.hop_counter", f"{SHARE}/{bundle.name}"]
    command += [engine, precision or "-", str(steps), tier or "-"]
    done = run_on(board, command, root=root, share=bundle.absolute().parent, count=True)
    if done.code:
        complaint = done.stderr.strip().splitlines() or [f"exit code {done.code}"]
        what = f"{engine} {precision or ''}".strip()
        raise EmulationError(f"{board.name}, {bundle.name}, {what}: {complaint[-1]}")
    said = json.loads(done.stdout)
    subject = from_json_value(Subject, said["subject"])
    setup = from_json_value(Setup, said["setup"])
    whole, alone = (_per_hop(done.counts, mark, steps) for mark in (_WHOLE, _ALONE))
    cost = HopCost(setup.engine, setup.engine_version, subject.model_file, steps, whole, alone)
    each = tuple(float(found.total) for found in done.counts if found.mark == _EACH)
    return CountedRun(cost, each, subject, setup, from_json_value(Machine, said["machine"]))


def _per_hop(counts: tuple[InstructionCounts, ...], mark: int, steps: int) -> dict[str, float]:
    for found in counts:
        if found.mark == mark:
            return {kind: number / steps for kind, number in found.by_class.items()}
    raise EmulationError(f"the counter saw no mark {mark}")
