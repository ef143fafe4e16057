"""What a teacher needs to know about a whole recording before it converts a part of it.

The networks see only a few seconds. What concerns the whole recording (its level, channel and mean
F0, the phase of the pulses and the position in the noise) is found in separate passes, so that the
converted parts join as in a conversion of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.audio.io import Samples
from edge_vc.audio.level import ActiveLevel, level_gain
from edge_vc.audio.long_audio import LevelledAudio, LongAudio, audio_blocks, windows
from edge_vc.audio.long_pitch import long_f0
from edge_vc.audio.mel import LogMel, long_channel_mean
from edge_vc.audio.pitch import Contour
from edge_vc.models.voice.head import UNVOICED_HZ
from edge_vc.teachers.teacher import Labels, Teacher

INPUT_DB = -23.0
"""Level of active speech at the networks' input, dBFS."""
QUIET = 1e-4
"""Peak below which a recording counts as silence."""
PART_SECONDS = 30
"""Seconds converted at once, not counting the context around them."""
_DRAWN = 1 << 20


@dataclass(frozen=True)
class SurveyPart:
    """What is known about the whole recording, for ``F`` frames of it."""

    gain: float
    """Gain that levels the recording."""
    quiet: bool
    """Whether the whole recording is silence."""
    channel: NDArray[np.float32]
    """Its `channel_mean` in nats, ``[bands, 1]``."""
    f0: Contour
    """F0 of the conversion, Hz, 0 where unvoiced, ``[F]``."""
    phase: float
    """Phase of the pulses before the first sample, in periods."""
    first: int
    """Frame of the recording at which the part begins."""

    def contour(self, frames: int) -> Contour:
        """Return `f0` for ``frames`` frames: after a change of rate, one may be missing."""
        return np.pad(self.f0[:frames], (0, max(0, frames - len(self.f0))))


@dataclass(frozen=True)
class Survey:
    """What is known about a recording of ``F`` frames."""

    gain: float
    quiet: bool
    channel: NDArray[np.float32]
    f0: Contour
    """``[F]``"""
    hop: int
    """Samples per frame."""
    sample_rate: int

    def part(self, first: int, last: int) -> SurveyPart:
        """Return what is known for the frames from ``first`` to before ``last``."""
        return SurveyPart(
            self.gain,
            self.quiet,
            self.channel,
            self.f0[first:last],
            pulse_phase(self.f0[: first + 2], first, self.hop, self.sample_rate),
            first,
        )


class SurveyingTeacher(Teacher, Protocol):
    """A teacher that converts a recording part by part as it would convert the whole."""

    @property
    def context_seconds(self) -> int:
        """Seconds of audio on either side that a part depends on."""
        ...

    def survey(self, audio: LongAudio) -> Survey:
        """Survey a recording."""
        ...

    def label_part(self, audio: Samples, part: SurveyPart) -> Labels:
        """Convert a part that begins at a frame; without its context it is only approximate."""
        ...


def make_survey(audio: LongAudio, log_mel: LogMel, rate: int, target_log_f0: float) -> Survey:
    """Survey a recording at ``rate`` Hz; its mean F0 is moved to ``target_log_f0``."""
    hop, meter = log_mel.hop, ActiveLevel(rate)
    for block in audio_blocks(audio):
        meter.push(block)
    gain = level_gain(meter.level_db, meter.peak, INPUT_DB)
    levelled = LevelledAudio(audio, gain, -(-audio.length // hop) * hop)
    f0 = moved_f0(long_f0(levelled, rate, hop // 2)[1::2], target_log_f0)
    channel = long_channel_mean(levelled, log_mel).numpy()
    quiet = meter.peak < QUIET
    return Survey(gain, quiet, channel, f0[: levelled.length // hop], hop, rate)


def moved_f0(f0: Contour, target_log_f0: float) -> Contour:
    """Return a contour in Hz, 0 where unvoiced, with its mean moved to ``target_log_f0``."""
    voiced = f0 > 0
    moved = f0.copy()
    if voiced.any():
        shift = target_log_f0 - np.log(f0[voiced]).mean()
        moved[voiced] = np.clip(f0[voiced] * np.exp(shift), 60.0, 500.0)
    return moved


def pulse_phase(f0: Contour, first: int, hop: int, sample_rate: int) -> float:
    """Return the phase in periods at which `pulse_train` has to begin at frame ``first``.

    F0 is interpolated linearly between the middles of frames, but is constant in the first half of
    the frame at the beginning: so the phases agree from the second frame on.
    """
    if not first:
        return 0.0
    rate = np.where(f0 > 0, f0, UNVOICED_HZ).astype(np.float64)
    place = (np.arange(hop) + 0.5) / hop - 0.5
    before, after = -place[place < 0].sum(), place[place > 0].sum()
    around = np.concatenate([rate[:1], rate, rate[-1:]])
    periods = around[:-2] * before + rate * (hop - before - after) + around[2:] * after
    own = rate[first] * (hop - after) + around[first + 2] * after
    return float((periods[: first + 1].sum() - own) / sample_rate % 1.0)


def noise_from(start: int, count: int) -> Tensor:
    """Return white noise ``[1, count]`` from sample ``start`` of the sequence of seed 0."""
    generator = torch.Generator().manual_seed(0)
    for drawn in range(0, start, _DRAWN):
        torch.randn(min(_DRAWN, start - drawn), generator=generator)
    return torch.randn(1, count, generator=generator)


def converted_parts(teacher: SurveyingTeacher, audio: LongAudio, hop: int) -> Iterator[Samples]:
    """Yield the conversion of a recording of any length, part by part."""
    rate = teacher.sample_rate
    survey = teacher.survey(audio)
    for part in windows(audio.length, PART_SECONDS * rate, teacher.context_seconds * rate):
        known = survey.part(part.low // hop, -(-part.high // hop))
        yield teacher.label_part(audio.read(part.low, part.high), known).audio[part.inner]
