"""A stage of compression: what it reads, what it does, what it may not exceed."""

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
"""What a stage measured about its result."""


class LimitError(RuntimeError):
    """A stage's result is worse than the recipe allows; one line with the numbers."""


@dataclass(frozen=True)
class Workspace:
    """Where a stage works."""

    inputs: Mapping[str, Path]
    """Finished artifacts of the stages in `Stage.needs`, by name."""
    output: Path
    """Folder to fill; its contents at the end become the artifact."""
    scratch: Path
    """Folder for checkpoints and caches: survives a kill, dropped once the stage is done."""
    progress: Progress = no_progress


class Stage(ABC):
    """One step from teacher to bundle: reads artifacts, writes one, measures it."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    """Stages whose artifacts are read."""
    sections: ClassVar[tuple[str, ...]] = ()
    """Sections of the recipe that are read: a change in them makes the stage run again."""
    revision: ClassVar[int] = 1
    """Raised whenever the same inputs give another result, so that old artifacts expire."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @abstractmethod
    def run(self, work: Workspace) -> Metrics:
        """Fill ``work.output`` and return what was measured.

        May be killed at any moment and resumes from what it keeps in ``work.scratch``.
        """

    def check_ready(self) -> None:
        """Raise `RecipeError` for what the stage will need and this machine does not have.

        Asked of every stage before the first one runs: training takes hours.
        """
        return

    def external_inputs(self) -> dict[str, str]:
        """Hashes of what is read from outside the run folder (weights, a corpus), by name."""
        return {}

    def resolved(self) -> dict[str, dict[str, Value]]:
        """The part of the recipe that the result depends on: its sections without limits."""
        everything = self.recipe.to_dict()
        picked = {}
        for name in (name for name in self.sections if name in everything):
            limits = limit_fields(getattr(self.recipe, name))
            picked[name] = {k: v for k, v in everything[name].items() if k not in limits}
        return picked

    def check_limits(self, metrics: Metrics) -> None:
        """Raise `LimitError` when a metric is beyond a limit of the stage's sections.

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
