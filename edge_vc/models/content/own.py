"""The content encoder inside a teacher that learnt its contents itself, such as the shipped one."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from edge_vc.assets import DEFAULT_WEIGHTS
from edge_vc.audio.mel import LogMel, channel_mean
from edge_vc.models.content.encoder import padded
from edge_vc.models.teacher.file import load_teacher
from edge_vc.models.teacher.network import TeacherNetwork

CHUNK = 2000
"""Frames encoded at once, besides their context."""


class OwnEncoder:
    """Content frames of 100 Hz: the bottleneck of a teacher network."""

    name = "own"

    def __init__(self, network: TeacherNetwork) -> None:
        self.network = network.eval().requires_grad_(False)
        config = network.config
        self.width, self.sample_rate = config.bottleneck, config.sample_rate
        self.hop, self.frame_rate = config.hop, config.sample_rate // config.hop
        self._log_mel = LogMel(config.sample_rate, hop=config.hop, bands=config.mel_bands)

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """Return contents ``[F, width]`` of mono ``audio`` ``[T]``, frames of 10 ms."""
        log_mel = self._log_mel(padded(audio.float(), self.hop)[None])
        log_mel = log_mel - channel_mean(log_mel[0])
        frames, context = log_mel.shape[2], self.network.config.context_frames
        parts = []
        for start in range(0, frames, CHUNK):
            low, high = max(0, start - context), min(frames, start + CHUNK + context)
            made = self.network.encode(log_mel[..., low:high])[0]
            parts.append(made[:, start - low : start - low + CHUNK])
        return torch.cat(parts, 1).T


def open_own(path: str | Path = DEFAULT_WEIGHTS) -> OwnEncoder:
    """Open the encoder of a teacher's weights, by default the shipped ones."""
    return OwnEncoder(load_teacher(path))
