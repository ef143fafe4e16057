"""An evaluation report as tables for a terminal."""

from __future__ import annotations

from rich.table import Table

from edge_vc.evaluate.scores import ContenderScore, EvaluationReport, Score
from edge_vc.evaluate.statistics import Estimate


def overview_table(report: EvaluationReport) -> Table:
    """Return one row per contender and the ceiling, with 95 % intervals over sentences.

    WER and CER are the word and character error rates.
    """
    table = Table(
        title=f"{report.target}: similarity and intelligibility, "
        f"{report.seconds / 60:.1f} min of unseen speakers"
    )
    table.add_column("contender", no_wrap=True)
    for name in ("similarity", "WER", "CER"):
        table.add_column(name, justify="right")
    table.add_column("sentences", justify="right")
    for score in report.contenders.values():
        table.add_row(score.name, *_cells(score.overall))
    table.add_section()
    table.add_row("ceiling: own voice", *_cells(report.ceiling.overall))
    return table


def speaker_table(report: EvaluationReport) -> Table:
    """Return one row per source speaker: similarity and word error rate of each contender."""
    table = Table(title="per source speaker: similarity / word error rate")
    table.add_column("speaker")
    for name in report.contenders:
        table.add_column(name, justify="right")
    speakers = sorted({name for score in report.contenders.values() for name in score.speakers})
    for speaker in speakers:
        cells = [_short(score, speaker) for score in report.contenders.values()]
        table.add_row(speaker, *cells)
    return table


def _cells(score: Score) -> tuple[str, str, str, str]:
    return (
        _text(score.similarity),
        _text(score.word_error_rate),
        _text(score.character_error_rate),
        str(score.similarity.sentences),
    )


def _short(contender: ContenderScore, speaker: str) -> str:
    score = contender.speakers[speaker]
    rate = score.word_error_rate
    return f"{score.similarity.value:.2f} / {f'{rate.value:.2f}' if rate else '-'}"


def _text(estimate: Estimate | None) -> str:
    """Two lines, so that all columns fit on a terminal of 80."""
    return f"{estimate.value:.3f}\n{estimate.low:.3f}-{estimate.high:.3f}" if estimate else "-"
