"""Run the stages of a recipe in a run folder: skip unchanged stages, resume interrupted ones."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from edge_vc import __version__
from edge_vc.compress.pipeline.plan import (
    PlannedStage,
    check_stage,
    input_hashes,
    plan,
    stage_key,
    up_to,
)
from edge_vc.compress.pipeline.run_folder import RECIPE, Record, RunFolder
from edge_vc.compress.pipeline.stage import LimitError, Metrics, Stage, Workspace
from edge_vc.compress.recipe import Recipe
from edge_vc.workers.progress import Progress, no_progress
from edge_vc_runtime.files.writing import write_whole

Report = Callable[[PlannedStage, Record | None], None]
"""Called before a stage (record None) and after it."""


@dataclass(frozen=True)
class RunResult:
    """Result of a run."""

    folder: Path
    metrics: dict[str, Metrics]
    """Metrics by stage, in order."""
    skipped: tuple[str, ...]
    """Stages that were skipped as unchanged."""

    def artifact(self, stage: str) -> Path:
        """Folder of a finished stage's files."""
        return self.folder / stage


def run_stages(
    recipe: Recipe,
    stages: Sequence[Stage],
    run_dir: str | Path,
    *,
    until: str | None = None,
    progress: Progress = no_progress,
    report: Report | None = None,
) -> RunResult:
    """Bring every stage up to date, in order, and maintain ``run.json``.

    Raises `LimitError` after a stage whose result is beyond the recipe's limits (its artifact and
    metrics stay in the folder), `RunFolderError` if the folder is in use and `RecipeError`,
    before any stage runs, for requirements that are missing on this machine.
    """
    folder = RunFolder(Path(run_dir))
    chosen = up_to(stages, until)
    for stage in chosen:
        stage.check_ready()
    done: dict[str, Record] = {}
    skipped: list[str] = []
    with folder.locked(), _status_kept(folder, recipe, done, len(stages)):
        for stage in chosen:
            planned = check_stage(stage, folder)
            if report:
                report(planned, None)
            record = _bring_up_to_date(planned, folder, progress)
            if planned.action == "skip":
                skipped.append(stage.name)
            done[stage.name] = record
            if report:
                report(planned, record)
            stage.check_limits(record.metrics)
    return RunResult(folder.root, {k: r.metrics for k, r in done.items()}, tuple(skipped))


def plan_run(
    stages: Sequence[Stage], run_dir: str | Path, until: str | None = None
) -> list[PlannedStage]:
    """Return what `run_stages` would do, without changing anything."""
    chosen = up_to(stages, until)
    for stage in chosen:
        stage.check_ready()
    return plan(chosen, RunFolder(Path(run_dir)))


def _bring_up_to_date(planned: PlannedStage, folder: RunFolder, progress: Progress) -> Record:
    stage = planned.stage
    record = folder.record(stage.name)
    if planned.action == "skip" and record is not None:
        return record
    inputs = input_hashes(stage, folder)
    key = stage_key(stage, inputs)
    output, scratch = folder.workplace(stage.name, key)
    paths = {name: folder.artifact(name) for name in stage.needs}
    started = time.monotonic()
    metrics = stage.run(Workspace(paths, output, scratch, progress))
    _check_finite(stage, metrics)
    seconds = round(time.monotonic() - started, 3)
    return folder.commit(
        stage.name,
        key=key,
        seconds=seconds,
        metrics=metrics,
        resolved=stage.resolved(),
        inputs=inputs,
    )


def _check_finite(stage: Stage, metrics: Metrics) -> None:
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise LimitError(f"stage {stage.name} stopped the run: {name} came out as {value}")


@contextmanager
def _status_kept(
    folder: RunFolder, recipe: Recipe, done: dict[str, Record], count: int
) -> Iterator[None]:
    """Keep ``recipe.toml`` and ``run.json`` up to date, however the run ends."""
    text = tomli_w.dumps(recipe.to_dict())
    # Paths in it may contain bytes that are not UTF-8.
    write_whole(folder.root / RECIPE, os.fsencode(text))
    _summarise(folder, recipe, done, "running")
    try:
        yield
    except LimitError as error:
        _summarise(folder, recipe, done, "stopped", str(error))
        raise
    except BaseException as error:
        _summarise(folder, recipe, done, "interrupted", type(error).__name__)
        raise
    _summarise(folder, recipe, done, "finished" if len(done) == count else "partial")


def _summarise(
    folder: RunFolder, recipe: Recipe, done: dict[str, Record], status: str, reason: str = ""
) -> None:
    stages: dict[str, Any] = {
        name: {"seconds": record.seconds, "key": record.key, "metrics": record.metrics}
        for name, record in done.items()
    }
    folder.write_summary(
        {
            "edge_vc": __version__,
            "status": status,
            "reason": reason,
            "recipe": recipe.to_dict(),
            "stages": stages,
        }
    )
