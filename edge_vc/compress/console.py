"""What a person sees of a run: bars, a line per stage, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from edge_vc.compress.pipeline.plan import PlannedStage
from edge_vc.compress.pipeline.run_folder import Record
from edge_vc.compress.pipeline.stage import Metrics
from edge_vc.compress.pruning.budget import Cost
from edge_vc.compress.recipe import Recipe

T = TypeVar("T")


class Screen:
    """Progress bars that vanish when they are done, and a line for every stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Screen:
        """Start the live display."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bars away, whatever happened."""
        self._bars.stop()

    def progress(self, items: Iterable[T], total: int, label: str) -> Iterable[T]:
        """Yield ``items`` under a bar."""
        task = self._bars.add_task(label, total=total)
        try:
            for item in items:
                yield item
                self._bars.advance(task)
        finally:
            self._bars.remove_task(task)

    def report(self, planned: PlannedStage, record: Record | None) -> None:
        """Print what is about to happen, or what came out."""
        name = f"[bold]{planned.stage.name:<9}[/bold]"
        if record is None:
            if planned.action == "run":
                self._console.print(f"{name} runs: {planned.reason}")
        elif planned.action == "skip":
            self._console.print(f"{name} skipped: {planned.reason}; {_numbers(record.metrics)}")
        else:
            took = f"{record.seconds:.1f} s"
            self._console.print(f"{name} done in {took}; {_numbers(record.metrics)}")


def plan_table(planned: Sequence[PlannedStage]) -> Table:
    """Return the plan: what runs, what is skipped, why."""
    table = Table(title="plan")
    for column in ("stage", "action", "why"):
        table.add_column(column)
    for verdict in planned:
        table.add_row(verdict.stage.name, verdict.action, verdict.reason)
    return table


def cost_table(recipe: Recipe, before: Cost, after: Cost) -> Table:
    """Return what the student costs now and after pruning, and what the target allows."""
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


def _numbers(metrics: Metrics) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
