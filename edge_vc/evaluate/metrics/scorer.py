"""Scores recordings against one target voice; fits nothing, remembers nothing of what it heard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.audio.pitch import Pitch
from edge_vc.data.corpus import Utterance
from edge_vc.evaluate.metrics.dnsmos import DnsmosModel
from edge_vc.evaluate.metrics.intelligibility import Recognizer
from edge_vc.evaluate.metrics.mcd import Cepstra, distortion_db, mel_cepstra
from edge_vc.evaluate.metrics.prosody import contour, f0_correlation, median_f0, shift_percent
from edge_vc.evaluate.metrics.similarity import Embedding, SpeakerEncoder, similarity
from edge_vc.evaluate.report.bootstrap import DECIMALS
from edge_vc.evaluate.report.report import SentenceScore
from edge_vc.evaluate.selection import EvaluationSet
from edge_vc.evaluate.systems.open_system import RATE
from edge_vc.settings.optional import EvaluationError


@dataclass(frozen=True)
class Target:
    """The voice to sound like."""

    centroid: Embedding
    f0_hz: float
    """Median over the voiced frames of all centroid sentences."""


def measure_target(chosen: EvaluationSet) -> Target:
    """Return the centroid and the median F0 of the target's sentences.

    Raises `EvaluationError` where they hold no speech.
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
    """Holds the measuring networks, loaded once in each process."""

    def __init__(self, chosen: EvaluationSet, target: Target) -> None:
        self._target, self._readings = target, chosen.readings
        self._encoder, self._listener = SpeakerEncoder(), DnsmosModel()
        self._sentences = chosen.sentences

    @cached_property
    def _recognizer(self) -> Recognizer | None:
        return Recognizer(self._sentences) if self._sentences else None

    def score(
        self, utterance: Utterance, samples: Samples, source: Pitch | None = None
    ) -> SentenceScore:
        """Score one recording ``[T]`` at `RATE` of what ``utterance`` says.

        ``source`` is the contour of the recording that was converted; None where none was.
        """
        hearing = None
        if self._recognizer and utterance.text:
            hearing = self._recognizer.listen(samples, RATE, utterance.text)
        pitch = contour(samples, RATE)
        f0_hz = median_f0(pitch)
        return SentenceScore(
            utterance.utt_id,
            utterance.speaker,
            utterance.sex,
            similarity=round(
                similarity(self._encoder.embed(samples, RATE), self._target.centroid), DECIMALS
            ),
            hearing=hearing,
            naturalness=self._listener.rate(samples, RATE),
            f0_correlation=_rounded(None if source is None else f0_correlation(source, pitch)),
            f0_hz=_rounded(f0_hz),
            f0_shift=_rounded(shift_percent(f0_hz, self._target.f0_hz)),
            mcd_db=_rounded(self._distortion(utterance, samples, pitch)),
        )

    def _distortion(self, utterance: Utterance, samples: Samples, pitch: Pitch) -> float | None:
        reading = self._readings.reading_of(utterance)
        if reading is None:
            return None
        return distortion_db(_cepstra_of(reading), mel_cepstra(samples, RATE, pitch))


def _cepstra_of(utterance: Utterance) -> Cepstra:
    samples = utterance.read(RATE)
    return mel_cepstra(samples, RATE, contour(samples, RATE))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
