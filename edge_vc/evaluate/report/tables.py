"""An evaluation report as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from edge_vc.evaluate.metrics.catalogue import CLOSENESS, MEASURES, Measure
from edge_vc.evaluate.report.bootstrap import Estimate
from edge_vc.evaluate.report.report import Comparison, EvaluationReport, Score, SystemScore

IMPORTANCE = (
    "similarity", "word_error_rate", "dnsmos", "f0_correlation", "f0_shift", "word_error_ratio",
    "mcd_db", "f0_error", "character_error_rate", "dnsmos_signal", "dnsmos_background",
)  # fmt: skip
"""What a narrow terminal shows first; the JSON and the page have all."""
SHORT = ("similarity", "word_error_rate", "dnsmos")
SEXES = {"F": "women", "M": "men"}
_NAME_WIDTH, _COLUMN_WIDTH = 22, 13


def all_tables(report: EvaluationReport, width: int = 80) -> Iterator[Table]:
    """Yield everything worth a look in ``width`` characters, the overview first."""
    yield overview_table(report, width)
    for condition, scores in report.noisy.items():
        yield condition_table(report, condition, scores, width)
    if report.comparisons:
        yield comparison_table(report)
    yield group_table(report, "source speaker", lambda score: score.speakers)
    if len(next(iter(report.contenders.values())).sexes) > 1:
        yield group_table(report, "sex", lambda score: score.sexes)


def overview_table(report: EvaluationReport, width: int = 80) -> Table:
    """Return one row per system and the ceiling, with 95 % intervals over sentences."""
    title = (
        f"{report.target}: {len(report.sentences)} sentences of unseen speakers, "
        f"{report.seconds / 60:.1f} min"
    )
    shown = _fitting(width)
    table = _system_table(title, report.contenders, shown)
    table.add_section()
    table.add_row("own voice", *_cells(report.ceiling.overall, shown))
    return table


def condition_table(
    report: EvaluationReport,
    condition: str,
    scores: Mapping[str, SystemScore],
    width: int = 80,
) -> Table:
    """Return one row per system that converted noisy recordings."""
    return _system_table(f"{report.target}: {condition}", scores, _fitting(width))


def comparison_table(report: EvaluationReport) -> Table:
    """Return one row per pair: how close the first is to the second."""
    table = _table("one against another", CLOSENESS)
    for pair in report.comparisons:
        cells = (_text(getattr(pair.overall, measure.key), measure) for measure in CLOSENESS)
        table.add_row(pair_name(pair), *cells)
    return table


def group_table(
    report: EvaluationReport, title: str, groups: Callable[[SystemScore], dict[str, Score]]
) -> Table:
    """Return one row per speaker or sex: the most telling figures of each system."""
    shown = [measure for measure in MEASURES if measure.key in SHORT]
    table = Table(title=f"per {title}: {' / '.join(measure.title for measure in shown)}")
    table.add_column(title)
    for name in report.contenders:
        table.add_column(name, justify="right")
    for group in sorted({name for s in report.contenders.values() for name in groups(s)}):
        scores = (groups(score)[group] for score in report.contenders.values())
        table.add_row(SEXES.get(group, group), *(_short(score, shown) for score in scores))
    return table


def pair_name(pair: Comparison) -> str:
    """Return how a comparison is called, with its condition where there is noise."""
    noise = "" if pair.condition == "clean" else f", {pair.condition}"
    return f"{pair.name} against {pair.against}{noise}"


def _fitting(width: int) -> list[Measure]:
    room = max(2, (width - _NAME_WIDTH) // _COLUMN_WIDTH)
    return [measure for measure in MEASURES if measure.key in IMPORTANCE[:room]]


def _system_table(title: str, scores: Mapping[str, SystemScore], shown: Sequence[Measure]) -> Table:
    table = _table(title, shown)
    for score in scores.values():
        table.add_row(score.name, *_cells(score.overall, shown))
    return table


def _table(title: str, shown: Sequence[Measure]) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD)
    table.add_column("", overflow="fold")
    for measure in shown:
        unit = f"\n{measure.unit}" if measure.unit else ""
        table.add_column(f"{measure.title}{unit}", justify="right", no_wrap=True)
    return table


def _cells(score: Score, shown: Sequence[Measure]) -> list[str]:
    return [_text(getattr(score, measure.key), measure) for measure in shown]


def _short(score: Score, shown: Sequence[Measure]) -> str:
    found = [getattr(score, measure.key) for measure in shown]
    return " / ".join("-" if estimate is None else f"{estimate.value:.2f}" for estimate in found)


def _text(estimate: Estimate | None, measure: Measure) -> str:
    """Two lines, so that more columns fit on a terminal of 80; a dash for what is not known."""
    if estimate is None:
        return "-"
    value, low, high = (
        f"{number:.{measure.digits}f}" for number in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value}\n{low}..{high}"
