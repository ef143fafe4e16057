"""One recording labelled by any teacher: at the students' rate, aligned, and sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_vc.audio.io import AudioError, Samples, resample
from edge_vc.audio.level import active_level_db, normalize_level
from edge_vc.audio.pitch import track_pitch
from edge_vc.labelling.delay import (
    Delay,
    band_correlation,
    delay_to_undo,
    estimate_delay,
    undo_delay,
)
from edge_vc.labelling.labels import HOP, INPUT_DB, LabelledAudio, to_int16
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
"""Of labels, in Hz: what students run at."""


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
    delay: Delay
    """Of the answer as it came."""
    undone_ms: float
    soundness: Soundness


def label_recording(teacher: Teacher, audio: Samples, alignment: Alignment) -> Labelled:
    """Let ``teacher`` convert ``audio`` ``[T]`` at its rate, and check and align the answer.

    The recording is levelled first. A teacher at another rate than `RATE` is given the recording
    at its own; recording and answer are resampled afterwards.
    Raises `OutlierError` for an answer that teaches nothing, `AudioError` for a recording that
    cannot be used, and whatever the teacher raises.
    """
    rate = teacher.sample_rate
    if active_level_db(audio, rate) < SILENT_DB:
        raise OutlierError("silent input", f"active level below {SILENT_DB:g} dBFS")
    source = normalize_level(audio, rate, INPUT_DB)
    if rate == RATE:
        source = source[: len(source) // HOP * HOP]
    if len(source) * RATE < HOP * rate:
        raise AudioError(f"{len(audio)} samples at {rate} Hz are less than one hop")
    look_inside: Callable[[Samples], Labels] | None = getattr(teacher, "label", None)
    if look_inside is not None and rate == RATE:
        return _with_inside(source, look_inside(source))
    answer = teacher.convert(source)
    check_form(source, answer, rate)
    if rate != RATE:
        source, answer = resample(source, rate, RATE), resample(answer, rate, RATE)
    return _from_waveforms(source, answer, alignment)


def _with_inside(source: Samples, labels: Labels) -> Labelled:
    """Keep what a teacher of ours says of itself; it is aligned by construction."""
    check_form(source, labels.audio, RATE)
    delay = estimate_delay(source, labels.audio, RATE)
    soundness = _checked(source, labels.audio)
    labelled = LabelledAudio(
        to_int16(source), to_int16(labels.audio), labels.f0, labels.bands.astype(np.float16)
    )
    return Labelled(labelled, delay, 0.0, soundness)


def _from_waveforms(source: Samples, answer: Samples, alignment: Alignment) -> Labelled:
    delay = estimate_delay(source, answer, RATE)
    undone_ms = delay_to_undo(delay, alignment.common_ms) if alignment.correct else 0.0
    source, answer = undo_delay(source, answer, round(undone_ms * RATE / 1000))
    frames = len(source) // HOP
    source, answer = source[: frames * HOP], answer[: frames * HOP]
    soundness = _checked(source, answer)
    f0 = track_pitch(answer, RATE, HOP // 2).f0[1::2][:frames]
    bands = np.zeros((0, frames), np.float16)
    return Labelled(
        LabelledAudio(to_int16(source), to_int16(answer), f0, bands), delay, undone_ms, soundness
    )


def _checked(source: Samples, answer: Samples) -> Soundness:
    soundness = measure_soundness(source, answer, RATE)
    check_sound(soundness, band_correlation(source, answer, RATE))
    return soundness
