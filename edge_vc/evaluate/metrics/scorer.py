"""Score recordings by the registered metrics, each independently of the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.audio.speaker_encoder import SpeakerEncoder
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.metrics.asr import asr_score
from edge_vc.evaluate.metrics.metric import AnyMetric, Counts, IntrusiveMetric, Metric, Value
from edge_vc.evaluate.metrics.phones import PHONE_ERROR_RATE, phone_score
from edge_vc.evaluate.metrics.prosody import contour
from edge_vc.evaluate.metrics.recording import Recording, ScoringContext, Target
from edge_vc.evaluate.report.bootstrap import DECIMALS
from edge_vc.evaluate.report.report import SentenceScore
from edge_vc.evaluate.selection import EvaluationSet
from edge_vc.evaluate.systems.open_system import RATE
from edge_vc.settings.optional import EvaluationError


def measure_target(chosen: EvaluationSet) -> Target:
    """Return the centroid and the median F0 of the target's sentences.

    Raises `EvaluationError` if they contain no speech.
    """
    recordings = [utterance.read(RATE) for utterance in chosen.centroid]
    voiced = [pitch.f0[pitch.voiced] for pitch in (contour(x, RATE) for x in recordings)]
    f0 = np.concatenate(voiced)
    if not f0.size:
        raise EvaluationError(
            f"{chosen.centroid[0].path}: neither it nor the target's other "
            f"{len(chosen.centroid) - 1} sentences are voiced; give recordings of speech"
        )
    try:
        centroid = SpeakerEncoder().centroid(recordings, RATE)
    except ValueError as error:
        raise EvaluationError(f"target {chosen.centroid[0].speaker}: {error}") from error
    return Target(centroid, float(np.median(f0)))


class Scorer:
    """Computes metrics; networks are opened once, by the first metric that needs them."""

    def __init__(self, chosen: EvaluationSet, target: Target, metrics: Sequence[AnyMetric]) -> None:
        self._context = ScoringContext(chosen, target)
        self._metrics = [metric for metric in metrics if isinstance(metric, Metric)]
        self._intrusive = [metric for metric in metrics if isinstance(metric, IntrusiveMetric)]

    def recording(
        self, utterance: Utterance, samples: Samples, source: Recording | None = None
    ) -> Recording:
        """Wrap samples ``[T]`` at `RATE`; ``source`` is the clean recording that was converted."""
        return Recording(self._context, utterance, samples, source)

    def score(self, recording: Recording) -> SentenceScore:
        """Return the recording's value of every metric, rounded to `DECIMALS`."""
        asr = recording.get(asr_score)
        phones = recording.get(phone_score) if PHONE_ERROR_RATE in self._metrics else None
        return _sentence_score(
            recording,
            {m.key: _rounded(_checked(m.compute(recording), m, recording)) for m in self._metrics},
            None if asr is None else asr.transcript,
            None if phones is None else phones.text,
        )

    def compare(self, reference: Recording, other: Recording) -> SentenceScore:
        """Return ``other``'s value of every intrusive metric."""
        return _sentence_score(
            other,
            {m.key: _checked(m.compute(reference, other), m, other) for m in self._intrusive},
        )


def _sentence_score(
    recording: Recording,
    scores: dict[str, Value],
    transcript: str | None = None,
    phones: str | None = None,
) -> SentenceScore:
    said = recording.utterance
    return SentenceScore(said.utt_id, said.speaker, said.sex, scores, transcript, phones)


def _checked(value: Value, metric: AnyMetric, recording: Recording) -> Value:
    """Return the value, or raise for one that a report cannot hold."""
    if value is None or isinstance(value, Counts):
        return value
    if not math.isfinite(value):
        raise EvaluationError(
            f"metric {metric.key}: gives {value} for {recording.utterance.path}; "
            "return None for what cannot be measured"
        )
    return float(value)


def _rounded(value: Value) -> Value:
    return round(value, DECIMALS) if isinstance(value, float) else value
