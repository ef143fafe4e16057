"""Sizes of the voice network, as named in a weights file's metadata and in a recipe."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LARGEST = {
    "content_width": 8192,
    "channels": 4096,
    "expansion": 16,
    "kernel": 255,
    "bottleneck": 8192,
    "blocks_before": 64,
    "blocks_after": 64,
    "filter_window": 8192,
    "filter_bands": 1024,
    "units": 1_000_000,
}
"""Largest sizes: a file that asks for more is refused before memory is allocated."""


@dataclass(frozen=True)
class VoiceConfig:
    """Sizes of the network; lengths are in samples or in frames of 10 ms, as stated."""

    contents: str = "whisper"
    """Content encoder of its input: a name in `edge_vc.models.content.registry`."""
    content_width: int = 512
    """Values per content frame."""
    content_rate: int = 50
    """Content frames per second."""
    sample_rate: int = 16_000
    hop: int = 160
    channels: int = 256
    expansion: int = 3
    kernel: int = 7
    bottleneck: int = 96
    """Values per frame to which the contents are reduced."""
    blocks_before: int = 4
    """ConvNeXt blocks before the attention."""
    blocks_after: int = 3
    """ConvNeXt blocks after the attention."""
    heads: int = 4
    attention_reach: int = 100
    """Frames on either side that the attention can see."""
    filter_window: int = 640
    """Window of the head's STFT, samples."""
    filter_bands: int = 80
    """Mel-spaced bands in which each filter is given."""
    units: int = 0
    """Content frames of the target's own speech in the weights; 0: none."""
    neighbours: int = 4
    """Nearest units, whose mean stands for a frame."""
    retrieval: float = 0.5
    """Share of a frame's content that they replace."""
    target_log_f0: float = 5.043
    """Mean log F0 (natural, Hz) of the voice, to which a source's pitch is moved."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for sizes that do not fit together or are beyond `LARGEST`."""
        for name, most in LARGEST.items():
            value, least = getattr(self, name), int(name != "units")
            if not least <= value <= most:
                raise ValueError(f"{name} = {value}: must be within {least}..{most}")
        if self.channels % self.heads:
            raise ValueError(f"{self.channels} channels do not divide by {self.heads} heads")
        frames = self.sample_rate // self.hop
        if self.content_rate < 1 or frames % self.content_rate:
            raise ValueError(
                f"content_rate = {self.content_rate}: must divide the {frames} frames of a second"
            )
        if self.units and not 1 <= self.neighbours <= self.units:
            raise ValueError(f"{self.neighbours} neighbours of {self.units} units")
        if not 0 <= self.retrieval <= 1:
            raise ValueError(f"retrieval = {self.retrieval}: must be within 0..1")

    @property
    def frames_per_content(self) -> int:
        """Frames of 10 ms that one content frame covers."""
        return self.sample_rate // self.hop // self.content_rate

    @property
    def context_frames(self) -> int:
        """Frames on either side that an output frame depends on."""
        convolutions = 1 + self.blocks_before + self.blocks_after
        reach = self.kernel // 2 * convolutions + self.attention_reach + 2
        return -(-reach // self.frames_per_content) * self.frames_per_content

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for a weights file's metadata."""
        return asdict(self)
