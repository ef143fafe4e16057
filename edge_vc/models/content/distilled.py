"""Our own content encoder, distilled from Whisper's: hama's frames in, Whisper's frames out.

A small convolutional network reads all blocks of hama's phone recogniser, which encode what is
spoken, and predicts the output of block 5 of Whisper base, so that a voice trained on Whisper's
contents can run without Whisper (distillation after Hinton, Vinyals, Dean 2015, of hidden frames).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from edge_vc.assets import CONTENTS_WEIGHTS
from edge_vc.models.content.encoder import ContentError
from edge_vc.models.content.hama import BLOCKS, RATE, HamaEncoder, open_hama
from edge_vc.models.weights_bytes import weights_bytes
from edge_vc.models.weights_file import opened_weights
from edge_vc_runtime.files.writing import write_whole

HEARD = BLOCKS * HamaEncoder.width
"""Values per frame that the network reads: all of hama's blocks."""
KEY = "contents_config"
"""Metadata key of the configuration."""
LARGEST = {"channels": 4096, "kernel": 255, "width": 8192}
"""Largest sizes: a file that asks for more is refused before memory is allocated."""


@dataclass(frozen=True)
class DistilledConfig:
    """Sizes of the network."""

    channels: int = 256
    kernel: int = 5
    """Kernel of every other layer, in frames of 20 ms."""
    width: int = 512
    """Values per frame of the encoder that it imitates."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for sizes beyond `LARGEST` and for an even kernel."""
        for name, most in LARGEST.items():
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} = {getattr(self, name)}: must be within 1..{most}")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel = {self.kernel}: must be odd")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for a weights file's metadata."""
        return asdict(self)


class _Layer(nn.Module):
    """A convolution over ``[B, F, C]`` with a residual."""

    def __init__(self, channels: int, kernel: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.expand = nn.Conv1d(channels, hidden, kernel, padding=kernel // 2)
        self.contract = nn.Linear(hidden, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.gelu(self.expand(self.norm(x).transpose(1, 2)))
        total: Tensor = x + self.scale * self.contract(y.transpose(1, 2))
        return total


class DistilledNetwork(nn.Module):
    """Maps hama's frames ``[B, F, HEARD]`` to the other encoder's ``[B, F, width]``."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: DistilledConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DistilledConfig()
        size = config.channels
        self.read = nn.Linear(HEARD, size)
        self.layers = nn.Sequential(
            _Layer(size, config.kernel, size),
            _Layer(size, 1, 2 * size),
            _Layer(size, config.kernel, size),
            _Layer(size, 1, 2 * size),
            nn.LayerNorm(size),
        )
        self.answer = nn.Linear(size, config.width)
        self.register_buffer("mean", torch.zeros(config.width))
        self.register_buffer("spread", torch.ones(config.width))

    def standardised(self, heard: Tensor) -> Tensor:
        """Return the output minus its mean, in units of its standard deviation."""
        answer: Tensor = self.answer(self.layers(self.read(heard)))
        return answer

    def forward(self, heard: Tensor) -> Tensor:
        """Return the other encoder's frames."""
        return self.standardised(heard) * self.spread + self.mean

    @property
    def reach(self) -> int:
        """Frames on either side that an output frame depends on, besides hama's own context."""
        return 2 * (self.config.kernel // 2)


class DistilledEncoder:
    """Content frames at 50 Hz like those of Whisper base's block 5, without Whisper."""

    name = "distilled"
    frame_rate, sample_rate = HamaEncoder.frame_rate, RATE

    def __init__(self, network: DistilledNetwork, hama: HamaEncoder) -> None:
        self.network = network.eval().requires_grad_(False)
        self.width = network.config.width
        self._hama = hama

    @torch.no_grad()
    def encode(self, audio: Tensor) -> Tensor:
        """Return contents ``[F, 512]`` of mono ``audio`` ``[T]`` at 16 kHz, frames of 20 ms."""
        contents: Tensor = self.network(self._hama.blocks(audio)[None])[0]
        return contents


def save_distilled(network: DistilledNetwork, path: str | Path, facts: dict[str, str]) -> Path:
    """Store the weights as float16 with their configuration and ``facts``, atomically."""
    weights = {
        name: value.half().cpu().contiguous() for name, value in network.state_dict().items()
    }
    said = {KEY: json.dumps(network.config.to_dict()), **facts}
    return write_whole(path, weights_bytes(weights, said))


def load_distilled(path: str | Path) -> DistilledNetwork:
    """Load what `save_distilled` stored; raises `ContentError` for anything else."""
    try:
        with opened_weights(path) as file:
            config = DistilledConfig(**json.loads(file.metadata()[KEY]))
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        network = DistilledNetwork(config)
        network.load_state_dict(weights)
    except (OSError, SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
        fact = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ContentError(f"{path}: no distilled content encoder: {fact}") from error
    return network.eval().requires_grad_(False)


def open_distilled(path: str | Path = CONTENTS_WEIGHTS) -> DistilledEncoder:
    """Open the encoder of a weights file, by default the one that ships; raises `ContentError`."""
    return DistilledEncoder(load_distilled(path), open_hama(BLOCKS))
