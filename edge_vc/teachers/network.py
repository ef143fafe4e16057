"""What a teacher of our own does around its network: levels, pitch, chunks, silence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edge_vc.audio.io import AudioError, Samples
from edge_vc.audio.long_audio import ArrayAudio, LongAudio
from edge_vc.audio.mel import LogMel
from edge_vc.audio.pitch import Contour
from edge_vc.teachers.survey import (
    Survey,
    SurveyPart,
    converted_parts,
    make_survey,
    noise_from,
)

CHUNK_FRAMES = 2000
"""Frames converted at once, besides their context."""
HEAD_FRAMES = 4
"""Windows of the head on either side of a frame that it, and what hears it, depend on."""


@dataclass(frozen=True)
class DefaultLabels:
    """A converted recording of ``F`` frames and what a student can learn from inside."""

    audio: Samples
    """``[T]``, as long as the input."""
    f0: Contour
    """F0 of the converted voice in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    bands: np.ndarray[Any, np.dtype[np.float32]]
    """Harmonic log-magnitude, phase and noise log-magnitude, ``[3 * bands, F]``."""
    contents: np.ndarray[Any, np.dtype[np.float32]]
    """What is said in each frame, as the decoder was told, ``[C, F]``."""


@dataclass(frozen=True)
class Inside:
    """What a network drives its head with, ``F`` frames and more."""

    bands: Tensor
    """``[1, 3 * bands, F]``"""
    contents: Tensor
    """``[C, F]``"""


class NetworkTeacher(ABC):
    """Converts mono speech ``[T]`` offline; deterministic."""

    sample_rate: int
    """Rate of input and output in Hz."""
    hop: int
    """Samples per frame."""
    target_log_f0: float
    """Mean log F0 of the target, to which the speaker's is moved."""
    block: int
    """Samples of which the network takes whole numbers; whole hops."""
    log_mel: LogMel
    """Whose mean over the loud frames of a recording the network is told."""

    @property
    @abstractmethod
    def context_seconds(self) -> int:
        """Audio on either side that a part depends on."""

    @abstractmethod
    def inside(self, audio: Tensor, f0: Tensor, channel: Tensor) -> Inside:
        """Return what the head is driven with for ``audio`` ``[T]``, in whole blocks.

        ``f0`` ``[1, F]`` is in Hz, ``channel`` ``[bands, 1]`` the recording's `channel_mean`.
        """

    @abstractmethod
    def speak(self, bands: Tensor, f0: Tensor, noise: Tensor, phase: float) -> Tensor:
        """Return the head's waveform ``[1, T]``; its pulses begin at a phase, in periods."""

    def convert(self, audio: Samples) -> Samples:
        """Convert ``audio`` ``[T]`` at `sample_rate`; the result is time-aligned, ``[T]``."""
        self._check(audio)
        return np.concatenate(list(converted_parts(self, ArrayAudio(audio), self.hop)))

    def label(self, audio: Samples) -> DefaultLabels:
        """Convert and return what the head was driven with as well."""
        self._check(audio)
        survey = self.survey(ArrayAudio(audio))
        return self.label_part(audio, survey.part(0, len(survey.f0)))

    def _check(self, audio: Samples) -> None:
        if audio.ndim != 1 or len(audio) < self.hop:
            raise AudioError(
                f"a teacher converts mono of {self.hop} samples or more: {audio.shape}"
            )

    @torch.no_grad()
    def survey(self, audio: LongAudio) -> Survey:
        """Go through a recording of any length before parts of it are converted."""
        return make_survey(audio, self.log_mel, self.sample_rate, self.target_log_f0)

    @torch.no_grad()
    def label_part(self, audio: Samples, part: SurveyPart) -> DefaultLabels:
        """Convert a part ``[T]`` that begins with a frame."""
        levelled = (audio * np.float32(part.gain)).astype(np.float32)
        padded = np.pad(levelled, (0, -len(audio) % self.block))
        f0 = part.contour(len(padded) // self.hop)
        contour = torch.from_numpy(f0)[None]
        found = self.inside(torch.from_numpy(padded), contour, torch.from_numpy(part.channel))
        noise = noise_from(part.first * self.hop, len(padded))
        speech = self.speak(found.bands, contour, noise, part.phase)[0].numpy()
        # Silence in is silence out: the network was never shown any and would breathe.
        speech = np.zeros_like(speech) if part.quiet else speech
        frames = -(-len(audio) // self.hop)
        bands = found.bands[0, :, :frames]
        return DefaultLabels(
            speech[: len(audio)], f0[:frames], bands.numpy(), found.contents[:, :frames].numpy()
        )


def chunks(frames: int, context: int) -> Iterator[tuple[int, int, slice]]:
    """Yield where to cut ``frames``, so that memory stays linear in length.

    First and last frame of each chunk with its context, and which of its frames are kept.
    """
    for start in range(0, frames, CHUNK_FRAMES):
        low, high = max(0, start - context), min(frames, start + CHUNK_FRAMES + context)
        yield low, high, slice(start - low, start - low + CHUNK_FRAMES)
