"""A teacher that decodes a frozen encoder's contents into a voice trained on recordings alone."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from edge_vc.models.content.encoder import ContentEncoder
from edge_vc.models.content.registry import open_contents
from edge_vc.models.voice.file import load_voice
from edge_vc.models.voice.network import Loudness, VoiceNetwork
from edge_vc.teachers.network import HEAD_FRAMES, Inside, NetworkTeacher, chunks


class VoiceTeacher(NetworkTeacher):
    """Converts mono speech ``[T]`` offline into the voice of its weights; deterministic."""

    def __init__(self, network: VoiceNetwork, encoder: ContentEncoder) -> None:
        """Raise `ValueError` unless the encoder has the width and rate that the network expects."""
        self.network = network.eval().requires_grad_(False)
        self.config = config = network.config
        self.encoder = encoder
        if (encoder.width, encoder.frame_rate) != (config.content_width, config.content_rate):
            raise ValueError(
                f"contents {encoder.name!r} are {encoder.width} wide at {encoder.frame_rate} Hz; "
                f"this voice was trained on {config.content_width} at {config.content_rate} Hz"
            )
        self.sample_rate, self.hop = config.sample_rate, config.hop
        self.target_log_f0 = config.target_log_f0
        self.block = config.hop * config.frames_per_content
        self._loudness = Loudness(config.sample_rate, config.hop)
        self.log_mel = self._loudness.log_mel

    @classmethod
    def load(cls, path: str | Path, contents: str = "") -> VoiceTeacher:
        """Load safetensors weights and the encoder that they, or ``contents`` if given, name.

        Raises `ContentError` with the command that installs a missing encoder, and what
        `load_voice` raises.
        """
        network = load_voice(path)
        return cls(network, open_contents(contents or network.config.contents))

    @property
    def context_seconds(self) -> int:
        """Seconds on either side of a part: the decoder's context and as much for the encoder.

        The encoder attends to all of its input, so parts only approximate the whole.
        """
        frames = self.config.context_frames + HEAD_FRAMES * self.config.filter_window // self.hop
        return 2 * -(-frames * self.hop // self.sample_rate)

    def inside(self, audio: Tensor, f0: Tensor, channel: Tensor) -> Inside:
        """Encode the recording and decode its contents to the controls of the head."""
        contents = self.network.retrieve(self.encoder.encode(audio))[None]
        loudness = self._loudness(audio[None], float(channel.mean()))
        ratio, mean = self.config.frames_per_content, torch.tensor([self.target_log_f0])
        parts = []
        for low, high, kept in chunks(f0.shape[1], self.config.context_frames):
            heard = contents[:, low // ratio : -(-high // ratio)]
            bands = self.network.bands(heard, f0[:, low:high], mean, loudness[:, low:high])
            parts.append(bands[..., kept])
        return Inside(torch.cat(parts, -1), self.network.narrowed(contents)[0])

    def speak(self, bands: Tensor, f0: Tensor, noise: Tensor, phase: float) -> Tensor:
        """Return the head's waveform ``[1, T]``."""
        speech: Tensor = self.network.head(bands, f0, noise, phase)
        return speech
