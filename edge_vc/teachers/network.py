"""What our own teachers do around their network: levels, pitch, chunks, silence."""

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
"""Frames converted at once, not counting their context."""
HEAD_FRAMES = 4
"""Windows of the head on either side of a frame that it depends on, or that depend on it."""


@dataclass(frozen=True)
class DefaultLabels:
    """A converted recording of ``F`` frames and internal features that a student can learn from."""

    audio: Samples
    """``[T]``, as long as the input."""
    f0: Contour
    """F0 of the converted voice in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    bands: np.ndarray[Any, np.dtype[np.float32]]
    """Harmonic log-magnitude, phase and noise log-magnitude, ``[3 * bands, F]``."""
    contents: np.ndarray[Any, np.dtype[np.float32]]
    """Content features of each frame, as given to the decoder, ``[C, F]``."""


@dataclass(frozen=True)
class Inside:
    """A network's internal features, ``F`` frames or more, from which its head is driven."""

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
    """The network takes multiples of this many samples; a whole number of hops."""
    log_mel: LogMel
    """Log-mels, whose mean over the loud frames of a recording is an input of the network."""

    @property
    @abstractmethod
    def context_seconds(self) -> int:
        """Seconds of audio on either side that a part depends on."""

    @abstractmethod
    def inside(self, audio: Tensor, f0: Tensor, channel: Tensor) -> Inside:
        """Return the controls of the head for ``audio`` ``[T]``, a whole number of blocks.

        ``f0`` ``[1, F]`` is in Hz; ``channel`` ``[bands, 1]`` is the recording's `channel_mean`.
        """

    @abstractmethod
    def speak(self, bands: Tensor, f0: Tensor, noise: Tensor, phase: float) -> Tensor:
        """Return the head's waveform ``[1, T]``; its pulses begin at ``phase``, in periods."""

    def convert(self, audio: Samples) -> Samples:
        """Convert ``audio`` ``[T]`` at `sample_rate`; the result is time-aligned, ``[T]``."""
        self._check(audio)
        return np.concatenate(list(converted_parts(self, ArrayAudio(audio), self.hop)))

    def label(self, audio: Samples) -> DefaultLabels:
        """Convert and also return the controls of the head."""
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
        """Survey a recording of any length before parts of it are converted."""
        return make_survey(audio, self.log_mel, self.sample_rate, self.target_log_f0)

    @torch.no_grad()
    def label_part(self, audio: Samples, part: SurveyPart) -> DefaultLabels:
        """Convert a part ``[T]`` that begins at a frame boundary."""
        levelled = (audio * np.float32(part.gain)).astype(np.float32)
        padded = np.pad(levelled, (0, -len(audio) % self.block))
        f0 = part.contour(len(padded) // self.hop)
        contour = torch.from_numpy(f0)[None]
        found = self.inside(torch.from_numpy(padded), contour, torch.from_numpy(part.channel))
        noise = noise_from(part.first * self.hop, len(padded))
        speech = self.speak(found.bands, contour, noise, part.phase)[0].numpy()
        # Silence in, silence out: the network was not trained on silence and would add breath.
        speech = np.zeros_like(speech) if part.quiet else speech
        frames = -(-len(audio) // self.hop)
        bands = found.bands[0, :, :frames]
        return DefaultLabels(
            speech[: len(audio)], f0[:frames], bands.numpy(), found.contents[:, :frames].numpy()
        )


def chunks(frames: int, context: int) -> Iterator[tuple[int, int, slice]]:
    """Yield where to cut ``frames`` into chunks, so that memory is linear in length.

    These are the first and last frame of each chunk with its context, and its frames to keep.
    """
    for start in range(0, frames, CHUNK_FRAMES):
        low, high = max(0, start - context), min(frames, start + CHUNK_FRAMES + context)
        yield low, high, slice(start - low, start - low + CHUNK_FRAMES)
