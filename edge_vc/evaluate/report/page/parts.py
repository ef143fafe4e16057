"""The parts of the page made from figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_vc.evaluate.report.page.curves import log_curves, stage_table
from edge_vc.evaluate.report.page.figures import (
    comparison_table,
    explanations,
    group_tables,
    phone_table,
    system_table,
)
from edge_vc.evaluate.report.page.markup import Markup, tag
from edge_vc.evaluate.report.page.run_log import RunFacts
from edge_vc.evaluate.report.report import EvaluationReport


def header_part(report: EvaluationReport, title: str, with_runs: bool) -> Markup:
    """Return the title, a summary of the evaluation and links to the parts."""
    places = [("figures", "Figures"), ("groups", "Speakers"), ("listen", "Listen")]
    places += [("runs", "Training")] if with_runs else []
    speakers = len(next(iter(report.systems.values())).speakers)
    return tag(
        "header",
        tag("h1", title),
        tag(
            "p",
            f"{report.sentence_count} sentences of {speakers} speakers not used in training, "
            f"{report.seconds / 60:.1f} minutes, converted into the voice of {report.target} "
            f"(median F0 {report.target_f0_hz:.0f} Hz) by each system.",
        ),
        tag("nav", *(tag("a", name, href=f"#{place}") for place, name in places)),
    )


def tables_part(report: EvaluationReport) -> Iterator[Markup]:
    """Yield every table with its heading and a note on how to read it."""
    yield tag("h2", "Figures", id="figures")
    yield tag(
        "p",
        "Small numbers are 95 % bootstrap intervals over sentences. Below them is the difference "
        f"to {report.baseline} on the same sentences, coloured where its interval excludes zero. "
        "The last row is the topline: the target's own recordings.",
        class_="note",
    )
    yield system_table(report, report.systems, report.topline)
    for condition, scores in report.noisy.items():
        yield tag("h3", f"Noise over the source: {condition}")
        yield tag(
            "p",
            "Differences are to the same system without noise; the source of the ratios is "
            "the noisy recording.",
            class_="note",
        )
        yield system_table(report, scores, None, "since_clean")
    if report.comparisons:
        yield tag("h3", "One system against another (intrusive metrics)")
        yield comparison_table(report)
    phones = phone_table(report)
    if phones is not None:
        yield tag("h3", "Phones that are not heard", id="phones")
        yield tag(
            "p",
            "How often each was not heard, and what was heard instead, by the recogniser; it "
            "makes errors on real recordings too, as the first system shows.",
            class_="note",
        )
        yield phones
    yield tag("details", tag("summary", "Metrics"), explanations(report))
    yield tag("h2", "By sex and by speaker", id="groups")
    for title, tables in (
        ("By sex", group_tables(report, lambda score: score.sexes)),
        ("By speaker", group_tables(report, lambda score: score.speakers)),
    ):
        yield tag("details", tag("summary", title), *tables)


def runs_part(runs: Sequence[RunFacts]) -> Iterator[Markup]:
    """Yield stages and curves of the runs, if there are any."""
    if runs:
        yield tag("h2", "Training", id="runs")
    for run in runs:
        if run.stages:
            yield tag("h3", f"Stages of {run.name}: {run.status}")
            yield stage_table(run)
        yield from (log_curves(log) for log in run.logs)
