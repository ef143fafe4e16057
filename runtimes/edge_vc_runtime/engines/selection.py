"""Selection of the engine that runs a bundle here, with the reason.

The order is: the engine given by the caller, the board profile's, the fastest one measured on this
machine, the registry's order. An engine that is only selected if it was measured and was the
fastest precedes the board profile's. Engines that cannot run are skipped; the reason lists them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc_runtime.board_profile import BoardProfile, BoardProfileError, find_board
from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import BundleError, Manifest
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.admission import Admission, UnsafeBundleError
from edge_vc_runtime.engines.engine import Engine, EngineError
from edge_vc_runtime.engines.measurement import blank_measurement, load_measurement
from edge_vc_runtime.engines.registry import (
    engine_kind,
    engine_kinds,
    engines_for,
    load_engine,
)

MAX_THREADS = 64


@dataclass(frozen=True)
class EngineSelection:
    """The engine that a session runs on, and why."""

    engine: str
    library: str
    """The engine's library, by its pip name."""
    version: str
    """Version of the library."""
    precision: str
    reason: str
    """One line."""


@dataclass(frozen=True)
class Candidate:
    """An engine to try."""

    engine: str
    precision: str | None
    """None: the bundle's default."""
    reason: str


def known_board(root: Path = Path("/")) -> BoardProfile | None:
    """Return this board's profile; raises `EngineError` if its file cannot be read."""
    try:
        return find_board(root)
    except BoardProfileError as error:
        raise EngineError(str(error)) from error


def resolve_threads(threads: int | None, board: BoardProfile | None) -> int:
    """Return the requested number, otherwise the board profile's, otherwise 1.

    Raises `EngineError` for a request outside 1 to `MAX_THREADS`, or of more threads than cores.
    """
    if threads is None:
        return board.threads if board else 1
    cores = os.cpu_count() or 1
    if not 1 <= threads <= MAX_THREADS:
        raise EngineError(f"threads is {threads}, it has to be 1 to {MAX_THREADS}")
    if threads > cores:
        raise EngineError(f"threads is {threads}, this machine has {cores}: give at most {cores}")
    return threads


def open_engine(
    bundle: Bundle,
    engine: str,
    threads: int,
    precision: str | None,
    board: BoardProfile | None,
    admit: Admission | None = None,
) -> tuple[Engine, ModelEntry, EngineSelection]:
    """Open the first engine that can run the bundle.

    ``engine`` is a name or ``auto``; ``admit`` is called before an engine gets a model. Raises
    `EngineError` with the reason for each engine if none can, `BundleError` if the bundle has no
    model of the precision, `UnsafeBundleError` for one that no engine may load.
    """
    if engine != "auto":
        return _open(bundle, Candidate(engine, precision, "asked for"), threads, admit)
    bundle.manifest.model(precision)
    passed: dict[str, str] = {}
    for candidate in _candidates(bundle.manifest, threads, precision, board):
        if candidate.engine in passed:
            continue
        try:
            loaded, model, selection = _open(bundle, candidate, threads, admit)
        except UnsafeBundleError:
            raise
        except (EngineError, BundleError) as error:
            passed[candidate.engine] = str(error)
        else:
            return loaded, model, replace(selection, reason=_explain(candidate, passed))
    raise EngineError("; ".join(passed.values()))


def plan_engine(bundle: Bundle, threads: int, board: BoardProfile | None) -> EngineSelection:
    """Return what would run the bundle with the installed engines; opens and imports nothing.

    Raises `EngineError` if no installed engine reads it.
    """
    passed: dict[str, str] = {}
    for candidate in _candidates(bundle.manifest, threads, None, board):
        try:
            kind = engine_kind(candidate.engine)
            model = bundle.manifest.model(candidate.precision, kind.formats)
        except (BundleError, EngineError) as error:
            passed[candidate.engine] = str(error)
            continue
        for library in kind.installed():
            return EngineSelection(
                kind.name, library.library, library.version, model.precision,
                _explain(candidate, passed),
            )  # fmt: skip
        passed[candidate.engine] = kind.missing(kind.libraries[0].name if kind.libraries else None)
    raise EngineError("; ".join(passed.values()))


def _candidates(
    manifest: Manifest, threads: int, precision: str | None, board: BoardProfile | None
) -> Iterator[Candidate]:
    """Yield the candidates, best first; lazily, since lookups take time."""
    measured = load_measurement(blank_measurement(manifest, threads))
    best = measured.best(manifest.model().precision, precision) if measured else None
    fastest = None
    if measured and best:
        count, day = len(measured.timings), measured.created[:10]
        reason = f"fastest of {count} measured here on {day}"
        fastest = Candidate(best.engine, best.precision, reason)
        kind = engine_kinds().get(best.engine)
        if kind and kind.only_measured:
            yield fastest
    if board:
        yield Candidate(board.engine, precision, f"board profile {board.name} ({board.source})")
    if fastest:
        yield fastest
    formats = {model.format for model in manifest.models}
    names = [kind.name for kind in engines_for(formats) if not kind.only_measured]
    for name in names:
        yield Candidate(
            name,
            precision,
            "nothing measured here yet: run `edge-vc-rt choose BUNDLE`"
            if len(names) > 1
            else f"the only engine for the bundle's {' and '.join(sorted(formats))} models",
        )


def _open(
    bundle: Bundle, candidate: Candidate, threads: int, admit: Admission | None
) -> tuple[Engine, ModelEntry, EngineSelection]:
    factory = load_engine(candidate.engine)
    kind = engine_kind(candidate.engine)
    model = bundle.manifest.model(candidate.precision, kind.formats)
    if admit is not None:
        admit(bundle, kind, model)
    loaded = factory(bundle.manifest, model, bundle.read(model.file), threads)
    selection = EngineSelection(
        candidate.engine, loaded.library, loaded.version, model.precision, candidate.reason
    )
    return loaded, model, selection


def _explain(candidate: Candidate, passed: dict[str, str]) -> str:
    """Return the reason, preceded by the engines that cannot run and the cause."""
    over = "; ".join(f"{engine} cannot run it ({why})" for engine, why in passed.items())
    return f"{over}; {candidate.reason}" if over else candidate.reason
