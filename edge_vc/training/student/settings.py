"""How a student is distilled: the recipe's section ``[distill]``, and weights added to it."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from functools import cache
from typing import NamedTuple

from edge_vc.settings.field import number


@dataclass(frozen=True)
class DistillSettings:
    """Distillation of a student from its teacher; a loss term of weight 0 is not computed.

    The weight of a loss term is the field of the same name as the term in
    `edge_vc.training.student.losses.TERMS`.
    """

    enabled: bool = True
    steps: int = number(4_000, 1, 10_000_000, "steps")
    batch: int = number(12, 1, 1_024, "segments")
    segment_seconds: float = number(1.28, 0.32, 30.0, "s")
    """Length of a segment, without warm-up."""
    learning_rate: float = number(2e-3, 1e-6, 0.1)
    """Peak rate; it rises for 1 % of the steps and then falls along half a cosine."""
    pitch_steps: int = number(0, 0, 1_000_000, "steps")
    """Steps on the pitch predictor alone, before everything is trained; for random weights."""
    waveform: float = number(0.0, 0.0, 1_000.0)
    """Weight of the L1 distance between waveforms."""
    stft: float = number(1.0, 0.0, 1_000.0)
    """Weight of the multi-resolution STFT loss: log magnitudes and spectral convergence."""
    mel: float = number(1.5, 0.0, 1_000.0)
    """Weight of the L1 distance between log-mel spectra."""
    feature: float = number(0.5, 0.0, 1_000.0)
    """Weight of the L1 distance between the log filters of teacher and student."""
    pitch: float = number(3.0, 0.0, 1_000.0)
    """Weight of the L1 distance between log F0 where the teacher is voiced."""
    voicing: float = number(1.0, 0.0, 1_000.0)
    """Weight of the cross-entropy of the voicing decision."""
    contents: float = number(0.0, 0.0, 1_000.0)
    """Weight of the error of predicting the teacher's contents from the trunk, through a linear
    layer that does not ship."""
    contents_units: int = number(0, 0, 4_096, "units")
    """Number of soft units for a cross-entropy loss on contents; 0: regression."""
    contents_first: float = number(0.0, 0.0, 0.9, "of the steps")
    """Initial phase that trains only contents, pitch, voicing and filters, without synthesis."""
    words: float = number(0.0, 0.0, 1_000.0)
    """Weight of the distance from the teacher's output and from the source in a phone recogniser's
    features."""
    adversarial: float = number(0.0, 0.0, 1_000.0)
    """Weight of the least-squares adversarial loss plus twice the feature-matching loss."""
    adversarial_from: float = number(0.5, 0.0, 1.0, "of the steps")
    """When the adversarial term starts."""
    warp: float = number(0.05, 0.0, 1.0)
    """Standard deviation of a log frequency warp of the trunk's input: other vocal tracts."""
    colour: float = number(0.4, 0.0, 10.0, "nats of power")
    """Standard deviation of a smooth gain curve over the input's bands: other microphones."""
    expansion_lowest: float = number(0.4, 0.1, 1.0)
    """Lowest ratio of the input's expander: below 1 it raises low levels."""
    expansion_highest: float = number(2.0, 1.0, 10.0)
    """Highest ratio: above 1 it lowers low levels, as in quiet rooms; 1 and 1 change nothing."""
    seed: int = number(0, 0, 2**31 - 1)
    max_mel_db: float = number(12.0, 0.1, 200.0, "dB", limits="mel_db")
    """The run stops if the mel distance to the teacher is larger after distillation."""


class Weight(NamedTuple):
    """The weight of a loss term from outside the package, as a key of ``[distill]``."""

    default: float
    highest: float


WEIGHTS: dict[str, Weight] = {}
"""Registered weights by name; filled by `edge_vc.training.student.losses.register_loss`."""


def distill_settings() -> type[DistillSettings]:
    """Return the class of the section: `DistillSettings` with a field for each of `WEIGHTS`."""
    return _with_weights(tuple(WEIGHTS.items()))


@cache
def _with_weights(weights: tuple[tuple[str, Weight], ...]) -> type[DistillSettings]:
    if not weights:
        return DistillSettings
    added = [(name, float, number(w.default, 0.0, w.highest)) for name, w in weights]
    return make_dataclass("DistillSettings", added, bases=(DistillSettings,), frozen=True)
