"""Labels one recording with any teacher: at the student's rate, aligned and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_vc.audio.io import AudioError, Samples, resample
from edge_vc.audio.level import active_level_db, normalize_level
from edge_vc.audio.pitch import frame_hop, mid_frame_f0
from edge_vc.labelling.delay import (
    DRIFT_MS,
    DelayEstimate,
    band_correlation,
    delay_to_undo,
    drift_ms,
    estimate_delay,
    undo_delay,
)
from edge_vc.labelling.labels import INPUT_DB, LabelledAudio, to_int16
from edge_vc.teachers.outliers import (
    SILENT_DB,
    OutlierError,
    Soundness,
    check_form,
    check_sound,
    measure_soundness,
)
from edge_vc.teachers.teacher import Labels, Teacher

RATE = 16_000
"""Default rate of labels in Hz, at which the shipped students run."""


@dataclass(frozen=True)
class Alignment:
    """How a delayed output is corrected."""

    correct: bool = True
    """Whether delays are corrected; they are measured in any case."""
    common_ms: float | None = None
    """The teacher's delay on all recordings; None: each uses its own estimate."""


@dataclass(frozen=True)
class Labelled:
    """The labels of one recording, and the measurements made on the way."""

    labels: LabelledAudio
    delay: DelayEstimate
    """Delay of the output before correction."""
    undone_ms: float
    soundness: Soundness


def reading_rate(teacher: Teacher, sample_rate: int) -> int:
    """Return the rate in Hz to read recordings at, which is usually the teacher's.

    Labels above `RATE` keep the part of the recording that a teacher at a lower rate cannot use.
    """
    return teacher.sample_rate if sample_rate <= RATE else max(teacher.sample_rate, sample_rate)


def label_recording(
    teacher: Teacher, audio: Samples, alignment: Alignment, sample_rate: int = RATE
) -> Labelled:
    """Convert ``audio`` ``[T]`` at `reading_rate` with ``teacher``; check and align the output.

    The recording is levelled first. A teacher at another rate than the labels' ``sample_rate`` is
    given the recording at its own rate; recording and output are resampled where needed. Raises
    `OutlierError` for an output that is useless for training, `AudioError` for an unusable
    recording, and whatever the teacher raises.
    """
    rate, hop = reading_rate(teacher, sample_rate), frame_hop(sample_rate)
    if active_level_db(audio, rate) < SILENT_DB:
        raise OutlierError("silent input", f"active level below {SILENT_DB:g} dBFS")
    source = normalize_level(audio, rate, INPUT_DB)
    same = teacher.sample_rate == sample_rate
    if same:
        source = source[: len(source) // hop * hop]
    if len(source) * sample_rate < hop * rate:
        raise AudioError(f"{len(audio)} samples at {rate} Hz are less than one hop")
    look_inside: Callable[[Samples], Labels] | None = getattr(teacher, "label", None)
    if look_inside is not None and same:
        return with_inside(source, look_inside(source), sample_rate)
    heard = at_rate(source, rate, teacher.sample_rate)
    output = teacher.convert(heard)
    check_form(heard, output, teacher.sample_rate)
    source = at_rate(source, rate, sample_rate)
    output = at_rate(output, teacher.sample_rate, sample_rate)
    common = min(len(source), len(output))  # resampled twice, an output may be a sample longer
    return from_waveforms(source[:common], output[:common], alignment, sample_rate)


def at_rate(audio: Samples, rate: int, wanted: int) -> Samples:
    """Return ``audio`` ``[T]`` at rate ``wanted`` in Hz, resampled if necessary."""
    return audio if rate == wanted else resample(audio, rate, wanted)


def with_inside(source: Samples, labels: Labels, rate: int) -> Labelled:
    """Keep the internal features of one of our teachers, which are aligned by construction."""
    check_form(source, labels.audio, rate)
    delay = estimate_delay(source, labels.audio, rate)
    soundness = _checked(source, labels.audio, rate)
    bare = np.zeros((0, len(labels.f0)), np.float16)  # a teacher from outside may have none
    labelled = LabelledAudio(
        to_int16(source),
        to_int16(labels.audio),
        labels.f0,
        labels.bands.astype(np.float16),
        getattr(labels, "contents", bare).astype(np.float16),
    )
    return Labelled(labelled, delay, 0.0, soundness)


def from_waveforms(
    source: Samples,
    output: Samples,
    alignment: Alignment,
    rate: int,
    inside: slice | None = None,
) -> Labelled:
    """Align, check and track the pitch; of a window, label only what is ``inside``."""
    delay, hop = estimate_delay(source, output, rate), frame_hop(rate)
    _check_drift(source, output, delay, rate)
    undone_ms = delay_to_undo(delay, alignment.common_ms) if alignment.correct else 0.0
    moved = round(undone_ms * rate / 1000)
    source, output = undo_delay(source, output, moved)
    early = max(0, -moved)  # samples lost at the beginning
    whole = len(source) // hop * hop
    source, output = source[:whole], output[:whole]
    kept = slice(0, None) if inside is None else slice(inside.start - early, inside.stop - early)
    first = max(0, kept.start) // hop
    frames = len(source[: kept.stop]) // hop - first
    f0 = mid_frame_f0(output, rate, hop)[first : first + frames]
    part = slice(first * hop, (first + frames) * hop)
    source, output = source[part], output[part]
    soundness = _checked(source, output, rate)
    bands = np.zeros((0, frames), np.float16)
    return Labelled(
        LabelledAudio(to_int16(source), to_int16(output), f0, bands), delay, undone_ms, soundness
    )


def _check_drift(source: Samples, output: Samples, delay: DelayEstimate, rate: int) -> None:
    """Raise `OutlierError` for an output whose delay changes."""
    if delay.sure:
        source, output = undo_delay(source, output, round(delay.ms * rate / 1000))
    found = drift_ms(source, output, rate)
    if found > DRIFT_MS:
        raise OutlierError("drift", f"its delay changes by {found:.0f} ms within the recording")


def _checked(source: Samples, output: Samples, rate: int) -> Soundness:
    soundness = measure_soundness(source, output, rate)
    check_sound(soundness, band_correlation(source, output, rate))
    return soundness
