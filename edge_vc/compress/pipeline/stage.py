"""A stage of compression: its inputs, its work and its limits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from edge_vc.compress.recipe import Recipe
from edge_vc.settings.field import Value, limit_fields
from edge_vc.workers.progress import Progress, no_progress

Metrics = dict[str, float]
"""Measurements of a stage's result."""


class LimitError(RuntimeError):
    """A stage's result is beyond the recipe's limits; a one-line message with the figures."""


@dataclass(frozen=True)
class Workspace:
    """Folders that a stage works in."""

    inputs: Mapping[str, Path]
    """Finished artifacts of the stages in `Stage.needs`, by name."""
    output: Path
    """Folder to fill; its final contents become the artifact."""
    scratch: Path
    """Folder for checkpoints and caches: survives a kill, deleted when the stage is done."""
    progress: Progress = no_progress


class Stage(ABC):
    """One step from teacher to bundle: reads artifacts, writes one, measures it."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    """Stages whose artifacts are read."""
    sections: ClassVar[tuple[str, ...]] = ()
    """Sections of the recipe that are read: a change in them makes the stage run again."""
    revision: ClassVar[int] = 1
    """Incremented when the same inputs give a different result, to invalidate old artifacts."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @abstractmethod
    def run(self, work: Workspace) -> Metrics:
        """Fill ``work.output`` and return the metrics.

        May be killed at any time and resumes from files in ``work.scratch``.
        """

    def check_ready(self) -> None:
        """Raise `RecipeError` for requirements that are missing on this machine.

        Called for every stage before the first one runs, since training takes hours.
        """
        return

    def external_inputs(self) -> dict[str, str]:
        """Return hashes of inputs from outside the run folder (weights, a corpus), by name."""
        return {}

    def resolved(self) -> dict[str, dict[str, Value]]:
        """Return the part of the recipe that the result depends on: its sections without limits."""
        everything = self.recipe.to_dict()
        picked = {}
        for name in (name for name in self.sections if name in everything):
            limits = limit_fields(getattr(self.recipe, name))
            picked[name] = {k: v for k, v in everything[name].items() if k not in limits}
        return picked

    def check_limits(self, metrics: Metrics) -> None:
        """Raise `LimitError` if a metric is beyond a limit in the stage's sections.

        Metrics that the stage did not report are not limited; NaN is beyond every limit.
        """
        broken = []
        for section in self.sections:
            for key, limit in limit_fields(getattr(self.recipe, section)).items():
                metric, sense, bound = limit
                value = metrics.get(metric, bound)
                kept = value <= bound if sense == "max" else value >= bound
                if not kept:
                    side = "above" if sense == "max" else "below"
                    broken.append(f"{metric} = {value:.4g} is {side} {section}.{key} = {bound:g}")
        if broken:
            raise LimitError(f"stage {self.name} stopped the run: {'; '.join(broken)}")
