"""A teacher that speaks a frozen encoder's contents in a voice learnt from recordings alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edge_vc.audio.io import AudioError, Samples
from edge_vc.audio.level import normalize_level
from edge_vc.models.content.encoder import ContentEncoder
from edge_vc.models.content.registry import open_contents
from edge_vc.models.voice.file import load_voice
from edge_vc.models.voice.network import Loudness, VoiceNetwork
from edge_vc.teachers.default import CHUNK_FRAMES, INPUT_DB, DefaultLabels, target_pitch

QUIET = 1e-4
"""Peak below which a recording is silence."""


class VoiceTeacher:
    """Converts mono speech ``[T]`` offline into the voice of its weights; deterministic."""

    def __init__(self, network: VoiceNetwork, encoder: ContentEncoder) -> None:
        """Raise `ValueError` where the encoder is not the one that the network was trained on."""
        self.network = network.eval().requires_grad_(False)
        self.config = config = network.config
        self.encoder = encoder
        if (encoder.width, encoder.frame_rate) != (config.content_width, config.content_rate):
            raise ValueError(
                f"contents {encoder.name!r} are {encoder.width} wide at {encoder.frame_rate} Hz; "
                f"this voice was trained on {config.content_width} at {config.content_rate} Hz"
            )
        self._loudness = Loudness(config.sample_rate, config.hop)

    @classmethod
    def load(cls, path: str | Path) -> VoiceTeacher:
        """Load safetensors weights and the encoder that they name.

        Raises `ContentError` with the line that installs the encoder where it is missing.
        """
        network = load_voice(path)
        return cls(network, open_contents(network.config.contents))

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
        padded = np.pad(levelled, (0, -len(audio) % (hop * self.config.frames_per_content)))
        f0 = target_pitch(padded, self.sample_rate, hop, self.config.target_log_f0)
        samples = torch.from_numpy(padded)
        contents = self.network.retrieve(self.encoder.encode(samples))
        contour = torch.from_numpy(f0)[None]
        bands = self._bands(contents[None], contour, self._loudness(samples[None]))
        noise = torch.randn(1, len(padded), generator=torch.Generator().manual_seed(0))
        speech = self.network.head(bands, contour, noise)[0].numpy()
        # Silence in is silence out: the network was never shown any and would breathe.
        quiet = float(np.abs(audio).max()) < QUIET
        speech = np.zeros_like(speech) if quiet else speech
        frames = -(-len(audio) // hop)
        said = self.network.narrowed(contents[None])[0, :, :frames]
        return DefaultLabels(
            speech[: len(audio)], f0[:frames], bands[0, :, :frames].numpy(), said.numpy()
        )

    def _bands(self, contents: Tensor, f0: Tensor, loudness: Tensor) -> Tensor:
        """Run the decoder over chunks with context, so that memory stays linear in length."""
        ratio, context = self.config.frames_per_content, self.config.context_frames
        mean = torch.tensor([self.config.target_log_f0])
        frames = f0.shape[1]
        parts = []
        for start in range(0, frames, CHUNK_FRAMES):
            low, high = max(0, start - context), min(frames, start + CHUNK_FRAMES + context)
            bands = self.network.bands(
                contents[:, low // ratio : -(-high // ratio)],
                f0[:, low:high],
                mean,
                loudness[:, low:high],
            )
            parts.append(bands[..., start - low : start - low + CHUNK_FRAMES])
        return torch.cat(parts, -1)
