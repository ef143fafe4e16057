"""A teacher that learnt contents, and what they sound like, from many speakers at once."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from edge_vc.audio.mel import LogMel
from edge_vc.models.teacher.file import load_teacher, save_teacher
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.teachers.network import HEAD_FRAMES, Inside, NetworkTeacher, chunks


class DefaultTeacher(NetworkTeacher):
    """Converts mono speech ``[T]`` offline; deterministic."""

    def __init__(self, network: TeacherNetwork) -> None:
        self.network = network.eval().requires_grad_(False)
        self.config = config = network.config
        self.sample_rate, self.hop, self.block = config.sample_rate, config.hop, config.hop
        self.target_log_f0 = config.target_log_f0
        self.log_mel = LogMel(config.sample_rate, hop=config.hop, bands=config.mel_bands)

    @classmethod
    def load(cls, path: str | Path) -> DefaultTeacher:
        """Load safetensors weights."""
        return cls(load_teacher(path))

    def save(self, path: str | Path, facts: dict[str, str]) -> Path:
        """Store the weights as float16 safetensors with their configuration and ``facts``."""
        return save_teacher(self.network, path, facts)

    @property
    def context_seconds(self) -> int:
        """Audio on either side that a part depends on."""
        frames = self.config.context_frames + HEAD_FRAMES * self.config.filter_window // self.hop
        return -(-frames * self.hop // self.sample_rate)

    def inside(self, audio: Tensor, f0: Tensor, channel: Tensor) -> Inside:
        """Let the network hear the recording without its channel, and retrieve what it speaks."""
        log_mel = self.log_mel(audio[None]) - channel
        mean, voice = torch.tensor([self.target_log_f0]), torch.zeros(1, dtype=torch.long)
        parts, said = [], []
        for low, high, kept in chunks(f0.shape[1], self.config.context_frames):
            here = log_mel[..., low:high], f0[:, low:high]
            contents, bands = self.network.analyse(*here, mean, voice)
            parts.append(bands[..., kept])
            said.append(self.network.retrieve(contents)[..., kept])
        filters = self.config.head == "source-filter"
        return Inside(torch.cat(parts, -1), torch.cat(said, -1)[0], filters)

    def speak(self, bands: Tensor, f0: Tensor, noise: Tensor, phase: float) -> Tensor:
        """Return the head's waveform ``[1, T]``."""
        speech: Tensor = self.network.head(bands, f0, noise, phase)
        return speech
