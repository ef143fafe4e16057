"""Plan of a run: which stages are up to date, which run, and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edge_vc import __version__
from edge_vc.compress.pipeline.run_folder import Record, RunFolder
from edge_vc.compress.pipeline.stage import Stage
from edge_vc.settings.field import unknown


@dataclass(frozen=True)
class PlannedStage:
    """Whether one stage will run, and why."""

    stage: Stage
    action: Literal["run", "skip"]
    reason: str


def input_hashes(stage: Stage, folder: RunFolder) -> dict[str, str]:
    """Return content hashes of all inputs of a stage; a missing artifact has the hash ``""``."""
    hashes = dict(stage.external_inputs())
    for name in stage.needs:
        record = folder.record(name)
        hashes[name] = record.content if record else ""
    return hashes


def stage_key(stage: Stage, inputs: dict[str, str]) -> str:
    """Return a hash of all dependencies: inputs, recipe sections, version of the code."""
    facts = {
        "stage": stage.name,
        "code": f"{__version__}/{stage.revision}",
        "inputs": inputs,
        "resolved": stage.resolved(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def check_stage(stage: Stage, folder: RunFolder) -> PlannedStage:
    """Check whether one stage, whose inputs are final, has to run."""
    record = folder.record(stage.name)
    inputs = input_hashes(stage, folder)
    if record is None:
        there = folder.artifact(stage.name).exists()
        return PlannedStage(stage, "run", "its files were changed" if there else "not done yet")
    if record.key == stage_key(stage, inputs):
        return PlannedStage(stage, "skip", "unchanged")
    return PlannedStage(stage, "run", _difference(stage, record, inputs))


def plan(stages: Sequence[Stage], folder: RunFolder) -> list[PlannedStage]:
    """Check all stages; a stage that depends on one that will run is planned to run too."""
    planned: list[PlannedStage] = []
    running: set[str] = set()
    for stage in stages:
        waiting_for = [name for name in stage.needs if name in running]
        found = check_stage(stage, folder)
        if waiting_for and found.action == "skip":
            reason = f"will be skipped if the result of {', '.join(waiting_for)} is unchanged"
            found = PlannedStage(stage, "run", reason)
        if found.action == "run":
            running.add(stage.name)
        planned.append(found)
    return planned


def up_to(stages: Sequence[Stage], last: str | None) -> Sequence[Stage]:
    """Return the stages up to ``last`` (all for None); raises `RecipeError` if it is unknown."""
    names = [stage.name for stage in stages]
    if last is None:
        return stages
    if last not in names:
        raise unknown("stage", last, names)
    return stages[: names.index(last) + 1]


def _difference(stage: Stage, record: Record, inputs: dict[str, str]) -> str:
    """Return the reason, in words, why a record does not match."""
    for section, values in stage.resolved().items():
        before = record.resolved.get(section, {})
        for key, value in values.items():
            if before.get(key) != value:
                return f"{section}.{key}: {before.get(key)!r} -> {value!r}"
    for name, content in inputs.items():
        if record.inputs.get(name) != content:
            return f"input {name} changed"
    return "made by another version of the code"
