"""Word and character error rates (WER, CER), absolute and relative to those of the source."""

from __future__ import annotations

from edge_vc.evaluate.metrics.asr import asr_score
from edge_vc.evaluate.metrics.metric import Counts, Metric
from edge_vc.evaluate.metrics.recording import Recording


def word_errors(recording: Recording) -> Counts | None:
    """Return substituted, deleted and inserted words; None if the text is not known."""
    found = recording.get(asr_score)
    return None if found is None else Counts(found.word_errors, found.words)


def character_errors(recording: Recording) -> Counts | None:
    """Return substituted, deleted and inserted characters; None if the text is not known."""
    found = recording.get(asr_score)
    return None if found is None else Counts(found.character_errors, found.characters)


ERROR_RATES = (
    Metric(
        key="word_error_rate",
        title="WER",
        better=-1,
        compute=word_errors,
        rank=2,
        description="Word error rate of PocketSphinx with a language model of the evaluation's "
        "own sentences, as a fraction of the words.",
    ),
    Metric(
        key="word_error_ratio",
        title="WER / source",
        better=-1,
        compute=word_errors,
        relative=True,
        digits=2,
        rank=6,
        description="The word error rate over that of the recordings that were converted.",
    ),
    Metric(
        key="character_error_rate",
        title="CER",
        better=-1,
        compute=character_errors,
        rank=9,
        description="Character error rate of PocketSphinx, as a fraction of the characters.",
    ),
    Metric(
        key="character_error_ratio",
        title="CER / source",
        better=-1,
        compute=character_errors,
        relative=True,
        digits=2,
        rank=12,
        description="The character error rate over that of the recordings that were converted.",
    ),
)
