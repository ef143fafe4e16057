"""One recording labelled by any teacher: at the students' rate, aligned, and sound."""

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
"""Of labels, in Hz, unless a job asks for another: what the shipped students run at."""


@dataclass(frozen=True)
class Alignment:
    """What is done about an answer that is late."""

    correct: bool = True
    """Whether delays are undone; they are measured in any case."""
    common_ms: float | None = None
    """The teacher's delay on all recordings; None: each goes by its own estimate."""


@dataclass(frozen=True)
class Labelled:
    """The labels of one recording, and what was measured on the way."""

    labels: LabelledAudio
    delay: DelayEstimate
    """Of the answer as it came."""
    undone_ms: float
    soundness: Soundness


def reading_rate(teacher: Teacher, sample_rate: int) -> int:
    """Return the rate in Hz to read recordings at: the teacher's.

    Labels above `RATE` keep of the recording what a teacher at a lower rate does not hear.
    """
    return teacher.sample_rate if sample_rate <= RATE else max(teacher.sample_rate, sample_rate)


def label_recording(
    teacher: Teacher, audio: Samples, alignment: Alignment, sample_rate: int = RATE
) -> Labelled:
    """Let ``teacher`` convert ``audio`` ``[T]`` at `reading_rate`; check and align the answer.

    The recording is levelled first. A teacher at another rate than the labels' ``sample_rate`` is
    given the recording at its own; recording and answer are resampled where that is needed.
    Raises `OutlierError` for an answer that teaches nothing, `AudioError` for a recording that
    cannot be used, and whatever the teacher raises.
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
    answer = teacher.convert(heard)
    check_form(heard, answer, teacher.sample_rate)
    source = at_rate(source, rate, sample_rate)
    answer = at_rate(answer, teacher.sample_rate, sample_rate)
    common = min(len(source), len(answer))  # twice resampled, an answer may be a sample longer
    return from_waveforms(source[:common], answer[:common], alignment, sample_rate)


def at_rate(audio: Samples, rate: int, wanted: int) -> Samples:
    """Return ``audio`` ``[T]`` at another rate in Hz, where it is another."""
    return audio if rate == wanted else resample(audio, rate, wanted)


def with_inside(source: Samples, labels: Labels, rate: int) -> Labelled:
    """Keep what a teacher of ours says of itself; it is aligned by construction."""
    check_form(source, labels.audio, rate)
    delay = estimate_delay(source, labels.audio, rate)
    soundness = _checked(source, labels.audio, rate)
    bare = np.zeros((0, len(labels.f0)), np.float16)  # a teacher from outside may not tell
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
    answer: Samples,
    alignment: Alignment,
    rate: int,
    inside: slice | None = None,
) -> Labelled:
    """Align, check and track; of a window, label what is ``inside`` it."""
    delay, hop = estimate_delay(source, answer, rate), frame_hop(rate)
    _check_drift(source, answer, delay, rate)
    undone_ms = delay_to_undo(delay, alignment.common_ms) if alignment.correct else 0.0
    moved = round(undone_ms * rate / 1000)
    source, answer = undo_delay(source, answer, moved)
    early = max(0, -moved)  # what was lost at the beginning
    whole = len(source) // hop * hop
    source, answer = source[:whole], answer[:whole]
    kept = slice(0, None) if inside is None else slice(inside.start - early, inside.stop - early)
    first = max(0, kept.start) // hop
    frames = len(source[: kept.stop]) // hop - first
    f0 = mid_frame_f0(answer, rate, hop)[first : first + frames]
    part = slice(first * hop, (first + frames) * hop)
    source, answer = source[part], answer[part]
    soundness = _checked(source, answer, rate)
    bands = np.zeros((0, frames), np.float16)
    return Labelled(
        LabelledAudio(to_int16(source), to_int16(answer), f0, bands), delay, undone_ms, soundness
    )


def _check_drift(source: Samples, answer: Samples, delay: DelayEstimate, rate: int) -> None:
    """Raise `OutlierError` for an answer whose delay is not one."""
    if delay.sure:
        source, answer = undo_delay(source, answer, round(delay.ms * rate / 1000))
    found = drift_ms(source, answer, rate)
    if found > DRIFT_MS:
        raise OutlierError("drift", f"its delay changes by {found:.0f} ms within the recording")


def _checked(source: Samples, answer: Samples, rate: int) -> Soundness:
    soundness = measure_soundness(source, answer, rate)
    check_sound(soundness, band_correlation(source, answer, rate))
    return soundness
