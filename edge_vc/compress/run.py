"""The full pipeline from teacher to bundle: all stages, in order."""

from __future__ import annotations

from pathlib import Path

from edge_vc.compress.pipeline.runner import Report, RunResult, run_stages
from edge_vc.compress.pipeline.stage import Stage
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.data import DataStage
from edge_vc.compress.stages.distill import DistillStage
from edge_vc.compress.stages.export import ExportStage
from edge_vc.compress.stages.initial_student import expected_costs
from edge_vc.compress.stages.prune import PruneStage
from edge_vc.compress.stages.quantize import CalibrateStage, QuantizeStage
from edge_vc.training.denormals import flushed_denormals
from edge_vc.workers.progress import Progress, no_progress

STAGES: tuple[type[Stage], ...] = (
    DataStage,
    PruneStage,
    DistillStage,
    CalibrateStage,
    QuantizeStage,
    ExportStage,
)


def build_stages(recipe: Recipe) -> list[Stage]:
    """Return the stages of a recipe; raises `RecipeError` if its target cannot be met."""
    expected_costs(recipe)
    return [stage(recipe) for stage in STAGES]


@flushed_denormals()
def compress(
    recipe: Recipe,
    run_dir: str | Path,
    *,
    until: str | None = None,
    progress: Progress = no_progress,
    report: Report | None = None,
) -> RunResult:
    """Run every stage of ``recipe`` that is not up to date in ``run_dir``.

    The bundle is in ``result.artifact("export")``. ``until`` names the last stage to run;
    ``progress`` shows loops; ``report`` is called before and after each stage. After an
    interruption at any point, the same call resumes.
    Raises `RecipeError`, `LimitError` and `RunFolderError`, each with a one-line message.
    """
    return run_stages(
        recipe, build_stages(recipe), run_dir, until=until, progress=progress, report=report
    )
