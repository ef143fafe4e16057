"""Read the stage metrics and training logs of a run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_vc.settings.optional import EvaluationError
from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object

MOST_LOGS = 20
MOST_BYTES = 16 << 20
MOST_LINES = 200_000
MOST_FIGURES = 40
MOST_STAGES = 64
_NOT_FIGURES = ("step", "minutes")


@dataclass(frozen=True)
class Log:
    """One training log: figures over steps."""

    name: str
    steps: tuple[float, ...]
    figures: dict[str, tuple[float | None, ...]]
    """One value per step; None where a step has no such figure."""


@dataclass(frozen=True)
class StageFacts:
    """A finished stage."""

    name: str
    seconds: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class RunFacts:
    """Facts read from a run folder."""

    name: str
    status: str
    stages: tuple[StageFacts, ...]
    logs: tuple[Log, ...]


def read_run(path: Path) -> RunFacts:
    """Read a folder of `edge-vc compress`, of a training, or a single ``.jsonl`` log.

    Raises `EvaluationError` if it is none of these, or if a file is invalid.
    """
    if path.is_file():
        return RunFacts(path.name, "", (), (_log(path, path.name),))
    if not path.is_dir():
        raise EvaluationError(f"{path}: no such run; give its folder or a .jsonl log")
    files = [p for p in _logs(path) if p.is_file()][:MOST_LOGS]
    logs = tuple(_log(file, file.relative_to(path).as_posix()) for file in files)
    summary = path / "run.json"
    status, stages = _summary(summary) if summary.is_file() else ("", ())
    if not logs and not stages:
        raise EvaluationError(f"{path}: holds no run.json and no .jsonl log; give a run's folder")
    return RunFacts(path.resolve().name, status, stages, logs)


def _logs(folder: Path) -> Iterator[Path]:
    for pattern in ("*.jsonl", "*/*.jsonl", "*/*/*.jsonl"):
        yield from sorted(folder.glob(pattern))


def _log(path: Path, name: str) -> Log:
    """Read lines of figures; a last line truncated by a kill is ignored."""
    rows = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and _is_number(row.get("step")):
            rows.append(row)
        if number >= MOST_LINES:
            break
    if not rows:
        raise EvaluationError(f"{path}: holds no lines of a training log")
    keys = list(dict.fromkeys(key for row in rows for key in row))[: 2 * MOST_FIGURES]
    figures = {
        key[:80]: tuple(float(row[key]) if _is_number(row.get(key)) else None for row in rows)
        for key in keys
        if key not in _NOT_FIGURES
    }
    known = {key: values for key, values in figures.items() if any(v is not None for v in values)}
    shown = dict(list(known.items())[:MOST_FIGURES])
    return Log(name, tuple(float(row["step"]) for row in rows), shown)


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise EvaluationError(f"{path}: larger than the {MOST_BYTES >> 20} MB that are read")
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise EvaluationError(f"{path}: {error.strerror or error}") from error


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 1e300
        and math.isfinite(value)
    )


def _summary(path: Path) -> tuple[str, tuple[StageFacts, ...]]:
    try:
        fields = Fields(parse_object("\n".join(_lines(path)).encode()))
        status = fields.text("status", limit=200)
        stages = fields.child("stages")
        names = stages.names()[:MOST_STAGES]
        return status, tuple(_stage(stages.child(name), name[:80]) for name in names)
    except FieldError as error:
        raise EvaluationError(f"{path}: {error}") from error


def _stage(fields: Fields, name: str) -> StageFacts:
    metrics = fields.child("metrics")
    figures = {key[:80]: metrics.number(key, -1e300, 1e300) for key in metrics.names()[:200]}
    return StageFacts(name, fields.number("seconds", 0, 1e9), figures)
