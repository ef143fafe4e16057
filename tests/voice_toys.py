"""A small content encoder, a small voice and settings of one that trains in seconds."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from edge_vc.audio.mel import LogMel
from edge_vc.models.content.encoder import padded
from edge_vc.models.content.registry import CONTENTS, ContentKind
from edge_vc.models.voice.config import VoiceConfig

TINY_VOICE = (
    'contents = "toy"',
    "network = {channels = 16, bottleneck = 8, blocks_before = 1, blocks_after = 1}",
    "crops = 2",
    "frames = 64",
    "held_out = 2",
    "discriminators = {windows = [256], channels = 4}",
    "losses = {adversarial_crops = 1, adversarial_frames = 32}",
)
"""``--set`` words of a tiny recipe."""
TINY = VoiceConfig(
    contents="toy",
    content_width=8,
    channels=16,
    bottleneck=8,
    blocks_before=1,
    blocks_after=1,
    attention_reach=8,
)


class ToyEncoder:
    """Mel bands, coarsely: 8 numbers at 50 Hz."""

    name, width, frame_rate, sample_rate = "toy", 8, 50, 16_000

    def encode(self, audio: Tensor) -> Tensor:
        """Return ``[F, 8]``."""
        log_mel = LogMel(hop=320, bands=8)(padded(audio, 320)[None])
        return torch.as_tensor(log_mel[0].T)


TOY = ContentKind("toy", "mel bands", ToyEncoder)


def with_toy(contents: dict[str, ContentKind] = CONTENTS) -> dict[str, ContentKind]:
    """Return the registry with the toy in it."""
    return contents | {"toy": TOY}


def former_teacher(path: Path) -> Path:
    """Write weights as those of teachers that learnt contents from many speakers."""
    said = {"config": json.dumps({"channels": 16, "speakers": 1}), "run": "{}"}
    save_file({"voice.weight": torch.zeros(1, 16)}, path, said)
    return path
