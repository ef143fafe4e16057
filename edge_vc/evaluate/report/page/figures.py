"""The tables of the page: figures with their intervals, and differences from the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from edge_vc.evaluate.metrics.metric import HEADLINE, MetricInfo
from edge_vc.evaluate.report.bootstrap import Estimate
from edge_vc.evaluate.report.confusions import NOTHING, PhoneCount, worst_phones
from edge_vc.evaluate.report.page.markup import Child, Markup, join, tag
from edge_vc.evaluate.report.report import EvaluationReport, Score, SystemScore
from edge_vc.evaluate.report.tables import SEXES, pair_name

HEATS = 5
"""Shades of phone cells: none below 10 % not recognised, the darkest from 40 %."""
Row = tuple[str, Sequence[Markup], str | None]
"""Name, cells and class."""


def system_table(
    report: EvaluationReport,
    scores: Mapping[str, SystemScore],
    topline: SystemScore | None,
    deltas: str = "deltas",
) -> Markup:
    """Return one row per system; ``deltas`` is the name of the field with the differences."""
    shown = [metric for metric in report.metrics if _known(scores.values(), metric)]
    rows: list[Row] = []
    for score in scores.values():
        less: Score = getattr(score, deltas) or {}
        cells = [cell(score.overall.get(m.key), m, less.get(m.key)) for m in shown]
        rows.append((score.name, cells, None))
    if topline is not None:
        own = [cell(topline.overall.get(metric.key), metric) for metric in shown]
        rows.append((f"{topline.name}: own recordings (topline)", own, "topline"))
    return table(["", *(_heading(metric) for metric in shown)], rows)


def comparison_table(report: EvaluationReport) -> Markup:
    """Return one row per pair of systems."""
    shown = report.intrusive_metrics
    rows: list[Row] = [
        (pair_name(pair), [cell(pair.overall.get(m.key), m) for m in shown], None)
        for pair in report.comparisons
    ]
    return table(["", *(_heading(metric) for metric in shown)], rows)


def group_tables(
    report: EvaluationReport, groups: Callable[[SystemScore], dict[str, Score]]
) -> Iterable[Markup]:
    """Yield one table per leading metric, with groups as rows and systems as columns."""
    scores = report.systems
    names = sorted({name for score in scores.values() for name in groups(score)})
    for metric in report.metrics:
        if metric.rank > HEADLINE or not _known(scores.values(), metric):
            continue
        rows: list[Row] = []
        for name in names:
            found = [groups(score).get(name, {}) for score in scores.values()]
            cells = [cell(one.get(metric.key), metric) for one in found]
            rows.append((SEXES.get(name, name), cells, None))
        yield tag("h3", metric.title)
        yield table(["", *scores], rows)


def phone_table(report: EvaluationReport) -> Markup | None:
    """Return the phones most often misrecognised, by system; None if none were measured."""
    phones, counts = worst_phones(report)
    if not phones:
        return None
    rows: list[Row] = []
    for phone in phones:
        found = [counts[name].get(phone, PhoneCount()) for name in report.systems]
        said = str(max(count.said for count in found))
        rows.append((phone, [tag("td", said), *map(_phone_cell, found)], None))
    return table(["phone", "said", *report.systems], rows)


def _phone_cell(count: PhoneCount) -> Markup:
    """Return a cell with the share of a phone not recognised, shaded by it, and the confusions."""
    if not count.said:
        return tag("td", "–", class_="none")
    heat = min(int(count.rate * 2 * HEATS), HEATS - 1)
    words = (f"{'lost' if other == NOTHING else other} {s:.0%}" for other, s in count.shares())
    return tag("td", f"{count.rate:.0%}", tag("span", ", ".join(words)), class_=f"heat{heat}")


def explanations(report: EvaluationReport) -> Markup:
    """Return a list of metrics with their descriptions."""
    shown = (*report.metrics, *report.intrusive_metrics)
    pairs = (join(tag("dt", metric.title), tag("dd", metric.description)) for metric in shown)
    return tag("dl", *pairs)


def table(heads: Sequence[Child], rows: Iterable[Row]) -> Markup:
    """Return a table that scrolls inside its own box."""
    body = (
        tag("tr", tag("th", name, scope="row"), *cells, class_=kind) for name, cells, kind in rows
    )
    head = tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads)))
    return tag(
        "div",
        tag("table", head, tag("tbody", *body)),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label="table",
    )


def cell(estimate: Estimate | None, metric: MetricInfo, less: Estimate | None = None) -> Markup:
    """Return a cell with value, interval and difference; a dash if there is no value."""
    if estimate is None:
        return tag("td", "–", class_="none")
    digits = metric.digits
    interval = f"{estimate.low:.{digits}f} to {estimate.high:.{digits}f}"
    return tag(
        "td",
        _signed(f"{estimate.value:.{digits}f}"),
        tag("span", _signed(interval)),
        *_difference(less, metric),
    )


def _difference(less: Estimate | None, metric: MetricInfo) -> Iterable[Markup]:
    """Yield a difference, coloured only if its interval excludes zero."""
    if less is None:
        return
    kind = ""
    if metric.better and (less.low > 0 or less.high < 0):
        kind = "good" if less.value * metric.better > 0 else "bad"
    digits = metric.digits
    yield tag("span", _signed(f"{less.value:+.{digits}f}"), class_=f"delta {kind}".strip())
    interval = f"{less.low:+.{digits}f} to {less.high:+.{digits}f}"
    yield tag("span", _signed(interval), class_=kind or None)


def _signed(number: str) -> str:
    """Use the minus sign, which is as wide as the plus sign."""
    return number.replace("-", "\N{MINUS SIGN}")


def _heading(metric: MetricInfo) -> Markup:
    arrow = {1: " ↑", -1: " ↓", 0: ""}[metric.better]
    unit = f", {metric.unit}" if metric.unit else ""
    return tag("abbr", f"{metric.title}{unit}{arrow}", title=metric.description)


def _known(scores: Iterable[SystemScore], metric: MetricInfo) -> bool:
    return any(score.overall.get(metric.key) is not None for score in scores)
