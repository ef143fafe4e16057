"""The tables of the page: figures with their intervals, and differences to the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from edge_vc.evaluate.metrics.catalogue import CLOSENESS, MEASURES, Measure
from edge_vc.evaluate.report.bootstrap import Estimate
from edge_vc.evaluate.report.page.markup import Child, Markup, join, tag
from edge_vc.evaluate.report.report import EvaluationReport, Score, SystemScore
from edge_vc.evaluate.report.tables import SEXES, pair_name

GROUPED = ("similarity", "word_error_rate", "dnsmos", "f0_correlation")
"""What is shown by speaker and by sex."""

Row = tuple[str, Sequence[Markup], str | None]
"""Name, cells and class."""


def system_table(
    scores: Mapping[str, SystemScore], ceiling: SystemScore | None, deltas: str = "deltas"
) -> Markup:
    """Return one row per system; ``deltas`` names the field that differences come from."""
    shown = [measure for measure in MEASURES if _known(scores.values(), measure)]
    rows: list[Row] = []
    for score in scores.values():
        less: Score | None = getattr(score, deltas)
        cells = [cell(_of(score.overall, m), m, _of(less, m)) for m in shown]
        rows.append((score.name, cells, None))
    if ceiling is not None:
        own = [cell(getattr(ceiling.overall, measure.key), measure) for measure in shown]
        rows.append((f"{ceiling.name}: own recordings", own, "ceiling"))
    return table(["", *(_heading(measure) for measure in shown)], rows)


def comparison_table(report: EvaluationReport) -> Markup:
    """Return one row per pair of systems."""
    rows: list[Row] = [
        (pair_name(pair), [cell(getattr(pair.overall, m.key), m) for m in CLOSENESS], None)
        for pair in report.comparisons
    ]
    return table(["", *(_heading(measure) for measure in CLOSENESS)], rows)


def group_tables(
    scores: Mapping[str, SystemScore], groups: Callable[[SystemScore], dict[str, Score]]
) -> Iterable[Markup]:
    """Yield one table per measure: groups down, systems across."""
    names = sorted({name for score in scores.values() for name in groups(score)})
    for measure in MEASURES:
        if measure.key not in GROUPED or not _known(scores.values(), measure):
            continue
        rows: list[Row] = []
        for name in names:
            found = [groups(score).get(name) for score in scores.values()]
            cells = [cell(_of(one, measure), measure) for one in found]
            rows.append((SEXES.get(name, name), cells, None))
        yield tag("h3", measure.title)
        yield table(["", *scores], rows)


def explanations() -> Markup:
    """Return what each measure is."""
    pairs = (
        join(tag("dt", measure.title), tag("dd", measure.says)) for measure in MEASURES + CLOSENESS
    )
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


def cell(estimate: Estimate | None, measure: Measure, less: Estimate | None = None) -> Markup:
    """Return value, interval and difference; empty where nothing is known."""
    if estimate is None:
        return tag("td", "–", class_="none")
    digits = measure.digits
    interval = f"{estimate.low:.{digits}f} to {estimate.high:.{digits}f}"
    return tag(
        "td",
        _signed(f"{estimate.value:.{digits}f}"),
        tag("span", _signed(interval)),
        *_difference(less, measure),
    )


def _difference(less: Estimate | None, measure: Measure) -> Iterable[Markup]:
    """Colour a difference only where its interval leaves zero out."""
    if less is None:
        return
    kind = ""
    if measure.better and (less.low > 0 or less.high < 0):
        kind = "good" if less.value * measure.better > 0 else "bad"
    digits = measure.digits
    yield tag("span", _signed(f"{less.value:+.{digits}f}"), class_=f"delta {kind}".strip())
    interval = f"{less.low:+.{digits}f} to {less.high:+.{digits}f}"
    yield tag("span", _signed(interval), class_=kind or None)


def _signed(number: str) -> str:
    """Write the minus sign, which is as wide as plus."""
    return number.replace("-", "\N{MINUS SIGN}")


def _heading(measure: Measure) -> Markup:
    arrow = {1: " ↑", -1: " ↓", 0: ""}[measure.better]
    unit = f" {measure.unit}" if measure.unit else ""
    return tag("abbr", f"{measure.title}{unit}{arrow}", title=measure.says)


def _of(score: Score | None, measure: Measure) -> Estimate | None:
    estimate: Estimate | None = None if score is None else getattr(score, measure.key)
    return estimate


def _known(scores: Iterable[SystemScore], measure: Measure) -> bool:
    return any(_of(score.overall, measure) is not None for score in scores)
