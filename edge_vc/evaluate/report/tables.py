"""An evaluation report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from edge_vc.evaluate.metrics.metric import HEADLINE, MetricInfo
from edge_vc.evaluate.report.bootstrap import Estimate
from edge_vc.evaluate.report.confusions import PhoneCount, worst_phones
from edge_vc.evaluate.report.report import Comparison, EvaluationReport, Score, SystemScore
from edge_vc_runtime.message import one_line

PHONE_TITLE = "phones not heard, and what was heard most often instead (-: nothing)"
SEXES = {"F": "women", "M": "men"}
_NAME_WIDTH, _COLUMN_WIDTH = 22, 13


def all_tables(report: EvaluationReport, width: int = 80) -> Iterator[Table]:
    """Yield every table of the report in ``width`` characters, the overview first."""
    yield overview_table(report, width)
    for condition, scores in report.noisy.items():
        yield condition_table(report, condition, scores, width)
    if report.comparisons:
        yield comparison_table(report)
    yield group_table(report, "source speaker", lambda score: score.speakers)
    if len(next(iter(report.systems.values())).sexes) > 1:
        yield group_table(report, "sex", lambda score: score.sexes)
    phones = phone_table(report)
    if phones is not None:
        yield phones


def overview_table(report: EvaluationReport, width: int = 80) -> Table:
    """Return one row per system and the topline, with 95 % intervals over sentences."""
    title = (
        f"{one_line(report.target)}: {report.sentence_count} sentences of unseen speakers, "
        f"{report.seconds / 60:.1f} min"
    )
    shown = _fitting(report, width)
    table = _system_table(title, report.systems, shown)
    table.add_section()
    table.add_row("topline (target)", *_cells(report.topline.overall, shown))
    return table


def condition_table(
    report: EvaluationReport,
    condition: str,
    scores: Mapping[str, SystemScore],
    width: int = 80,
) -> Table:
    """Return one row per system that converted noisy recordings."""
    return _system_table(one_line(f"{report.target}: {condition}"), scores, _fitting(report, width))


def comparison_table(report: EvaluationReport) -> Table:
    """Return one row per pair of systems: the intrusive metrics."""
    shown = report.intrusive_metrics
    table = _table("one system against another", shown)
    for pair in report.comparisons:
        table.add_row(one_line(pair_name(pair)), *_cells(pair.overall, shown))
    return table


def group_table(
    report: EvaluationReport, title: str, groups: Callable[[SystemScore], dict[str, Score]]
) -> Table:
    """Return one row per speaker or sex: the leading metrics of each system."""
    shown = [metric for metric in report.metrics if metric.rank < HEADLINE]
    table = Table(title=f"per {title}: {one_line(' / '.join(metric.title for metric in shown))}")
    table.add_column(title)
    for name in report.systems:
        table.add_column(one_line(name), justify="right")
    for group in sorted({name for s in report.systems.values() for name in groups(s)}):
        scores = (groups(score)[group] for score in report.systems.values())
        table.add_row(
            one_line(SEXES.get(group, group)), *(_short(score, shown) for score in scores)
        )
    return table


def phone_table(report: EvaluationReport) -> Table | None:
    """Return the phones most often misrecognised, by system; None if none were measured."""
    phones, counts = worst_phones(report)
    if not phones:
        return None
    table = Table(title=PHONE_TITLE)
    table.add_column("phone")
    table.add_column("said", justify="right")
    for name in report.systems:
        table.add_column(one_line(name), justify="right")
    for phone in phones:
        found = [counts[name].get(phone, PhoneCount()) for name in report.systems]
        said = max(count.said for count in found)
        table.add_row(one_line(phone), str(said), *(one_line(count.text) for count in found))
    return table


def pair_name(pair: Comparison) -> str:
    """Return the name of a comparison, including its condition if there is noise."""
    noise = "" if pair.condition == "clean" else f", {pair.condition}"
    return f"{pair.name} against {pair.against}{noise}"


def _fitting(report: EvaluationReport, width: int) -> list[MetricInfo]:
    """Return the highest-ranked metrics that fit, in the order of the report."""
    room = max(2, (width - _NAME_WIDTH) // _COLUMN_WIDTH)
    first = sorted(report.metrics, key=lambda metric: metric.rank)[:room]
    return [metric for metric in report.metrics if metric in first]


def _system_table(
    title: str, scores: Mapping[str, SystemScore], shown: Sequence[MetricInfo]
) -> Table:
    table = _table(title, shown)
    for score in scores.values():
        table.add_row(one_line(score.name), *_cells(score.overall, shown))
    return table


def _table(title: str, shown: Sequence[MetricInfo]) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD)
    table.add_column("", overflow="fold")
    for metric in shown:
        unit = f"\n{one_line(metric.unit)}" if metric.unit else ""
        table.add_column(f"{one_line(metric.title)}{unit}", justify="right", no_wrap=True)
    return table


def _cells(score: Score, shown: Sequence[MetricInfo]) -> list[str]:
    return [_text(score.get(metric.key), metric) for metric in shown]


def _short(score: Score, shown: Sequence[MetricInfo]) -> str:
    found = [score.get(metric.key) for metric in shown]
    return " / ".join("-" if estimate is None else f"{estimate.value:.2f}" for estimate in found)


def _text(estimate: Estimate | None, metric: MetricInfo) -> str:
    """Return two lines, so that more columns fit into 80 characters; a dash if unknown."""
    if estimate is None:
        return "-"
    value, low, high = (
        f"{number:.{metric.digits}f}" for number in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value}\n{low}..{high}"
