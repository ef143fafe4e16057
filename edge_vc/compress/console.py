"""Terminal output of a run: progress bars, a line per stage, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from edge_vc.command_line.steps import Steps
from edge_vc.compress.pipeline.plan import PlannedStage
from edge_vc.compress.pipeline.run_folder import Record
from edge_vc.compress.pruning.cost import Cost
from edge_vc.compress.recipe import Recipe
from edge_vc_runtime.figures import titled_figures

T = TypeVar("T")


class StageDisplay:
    """Transient progress bars on a terminal, and a line for every stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps = Steps(console, lines=False)

    def __enter__(self) -> StageDisplay:
        """Start the live display."""
        self._steps.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bars."""
        self._steps.__exit__(kind, error, trace)

    def progress(self, items: Iterable[T], total: int, label: str) -> Iterable[T]:
        """Yield ``items`` under a bar."""
        return self._steps.track(items, total, label)

    def report(self, planned: PlannedStage, record: Record | None) -> None:
        """Print which stage starts and why, or what it measured and how long it took."""
        name = f"{planned.stage.name:<9}"
        figures = "" if record is None else ", ".join(titled_figures(record.metrics))
        if record is None:
            if planned.action == "run":
                self._say(f"{name} runs: {planned.reason}")
        elif planned.action == "skip":
            self._say(f"{name} skipped: {planned.reason}; {figures}")
        else:
            self._say(f"{name} done in {record.seconds:.1f} s; {figures}")

    def _say(self, line: str) -> None:
        self._steps.say(line)


def plan_table(planned: Sequence[PlannedStage]) -> Table:
    """Return the plan as a table: which stages run or are skipped, and why."""
    table = Table(title="plan")
    for column in ("stage", "action", "why"):
        table.add_column(column)
    for verdict in planned:
        table.add_row(verdict.stage.name, verdict.action, verdict.reason)
    return table


def cost_table(recipe: Recipe, before: Cost, after: Cost) -> Table:
    """Return the student's cost before and after pruning, and the target's limits, as a table."""
    table = Table(title="cost")
    for column in ("", "now", "expected", "target"):
        table.add_column(column, justify="left" if not column else "right")
    target = recipe.target
    rows = (
        ("parameters", "{:,.0f}", before.parameters, after.parameters, None),
        ("INT8 weights, kB", "{:.1f}", before.trunk_weights / 1e3, after.trunk_weights / 1e3,
         target.max_weight_kb),
        ("MMAC/s", "{:.1f}", before.mmacs, after.mmacs, target.max_mmacs),
        ("algorithmic latency, ms", "{:g}", before.latency_ms, after.latency_ms,
         target.max_latency_ms),
    )  # fmt: skip
    for name, form, now, expected, limit in rows:
        most = "" if limit is None else f"<= {limit:g}"
        table.add_row(name, form.format(now), form.format(expected), most)
    return table
