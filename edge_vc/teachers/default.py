"""The teacher that ships: anybody's voice into Kathleen's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edge_vc.assets import DEFAULT_WEIGHTS as DEFAULT_WEIGHTS
from edge_vc.audio.io import AudioError, Samples
from edge_vc.audio.level import normalize_level
from edge_vc.audio.mel import LogMel, channel_mean
from edge_vc.audio.pitch import Contour, track_pitch
from edge_vc.models.teacher.file import load_teacher, save_teacher
from edge_vc.models.teacher.network import TeacherNetwork

INPUT_DB = -23.0
"""Level of active speech that the network is given, dBFS."""
CHUNK_FRAMES = 2000
"""Frames converted at once, besides their context."""


@dataclass(frozen=True)
class DefaultLabels:
    """A converted recording of ``F`` frames and what a student can learn from inside."""

    audio: Samples
    """``[T]``, as long as the input."""
    f0: Contour
    """F0 of the converted voice in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    bands: np.ndarray[Any, np.dtype[np.float32]]
    """Harmonic log-magnitude, phase and noise log-magnitude, ``[3 * bands, F]``; none, ``[0, F]``,
    of a head without filters."""
    contents: np.ndarray[Any, np.dtype[np.float32]]
    """What is said in each frame, as the decoder was told, ``[C, F]``."""


class DefaultTeacher:
    """Converts mono speech ``[T]`` offline; deterministic."""

    def __init__(self, network: TeacherNetwork) -> None:
        self.network = network.eval().requires_grad_(False)
        self.config = network.config
        self._log_mel = LogMel(
            self.config.sample_rate, hop=self.config.hop, bands=self.config.mel_bands
        )

    @classmethod
    def load(cls, path: str | Path = DEFAULT_WEIGHTS) -> DefaultTeacher:
        """Load safetensors weights, by default the ones that ship."""
        return cls(load_teacher(path))

    def save(self, path: str | Path, facts: dict[str, str]) -> Path:
        """Store the weights as float16 safetensors with their configuration and ``facts``."""
        return save_teacher(self.network, path, facts)

    @property
    def sample_rate(self) -> int:
        """Rate of input and output in Hz."""
        return self.config.sample_rate

    def convert(self, audio: Samples) -> Samples:
        """Convert ``audio`` ``[T]`` at `sample_rate`; the result is time-aligned, ``[T]``."""
        return self.label(audio).audio

    @torch.no_grad()
    def label(self, audio: Samples) -> DefaultLabels:
        """Convert and return what the head was driven with as well."""
        hop = self.config.hop
        if audio.ndim != 1 or len(audio) < hop:
            raise AudioError(f"a teacher converts mono of {hop} samples or more: {audio.shape}")
        levelled = normalize_level(audio, self.sample_rate, INPUT_DB)
        padded = np.pad(levelled, (0, -len(audio) % hop))
        f0 = target_pitch(padded, self.sample_rate, hop, self.config.target_log_f0)
        log_mel = self._log_mel(torch.from_numpy(padded)[None])
        log_mel = log_mel - channel_mean(log_mel[0])
        contour = torch.from_numpy(f0)[None]
        bands, contents = self._inside(log_mel, contour)
        noise = torch.randn(1, len(padded), generator=torch.Generator().manual_seed(0))
        speech = self.network.head(bands, contour, noise)[0].numpy()
        # Silence in is silence out: the network was never shown any and would breathe.
        quiet = float(np.abs(audio).max()) < 1e-4
        speech = np.zeros_like(speech) if quiet else speech
        driven = bands[0] if self.config.head == "source-filter" else bands[0, :0]
        return DefaultLabels(speech[: len(audio)], f0, driven.numpy(), contents[0].numpy())

    def _inside(self, log_mel: Tensor, f0: Tensor) -> tuple[Tensor, Tensor]:
        """Return bands and contents, run over chunks with context: memory stays linear."""
        mean = torch.tensor([self.config.target_log_f0])
        voice = torch.zeros(1, dtype=torch.long)
        frames, context = f0.shape[1], self.config.context_frames
        parts, said = [], []
        for start in range(0, frames, CHUNK_FRAMES):
            low = max(0, start - context)
            high = min(frames, start + CHUNK_FRAMES + context)
            here = log_mel[..., low:high], f0[:, low:high]
            contents, bands = self.network.analyse(*here, mean, voice)
            kept = slice(start - low, start - low + CHUNK_FRAMES)
            parts.append(bands[..., kept])
            said.append(self.network.retrieve(contents)[..., kept])
        return torch.cat(parts, -1), torch.cat(said, -1)


def target_pitch(audio: Samples, sample_rate: int, hop: int, target_log_f0: float) -> Contour:
    """Track F0 at the middle of each hop of ``[T]`` and move its mean to ``target_log_f0``.

    Returns Hz, 0 where unvoiced, ``[T // hop]``.
    """
    f0 = track_pitch(audio, sample_rate, hop // 2).f0[1::2][: len(audio) // hop]
    voiced = f0 > 0
    if voiced.any():
        shift = target_log_f0 - np.log(f0[voiced]).mean()
        f0[voiced] = np.clip(f0[voiced] * np.exp(shift), 60.0, 500.0)
    return f0


def weights_hash(path: str | Path) -> str:
    """Return the SHA-256 of a weights file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
