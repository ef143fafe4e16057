"""Sizes of the voice network, as a weights file's metadata and a recipe name them."""

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
"""Largest sizes: a file that asks for more is refused before memory is."""


@dataclass(frozen=True)
class VoiceConfig:
    """Sizes of the network; lengths in samples or frames of 10 ms as said."""

    contents: str = "whisper"
    """Content encoder whose frames it speaks: a name in `edge_vc.models.content.registry`."""
    content_width: int = 512
    """Numbers per content frame."""
    content_rate: int = 50
    """Content frames per second."""
    sample_rate: int = 16_000
    hop: int = 160
    channels: int = 256
    expansion: int = 3
    kernel: int = 7
    bottleneck: int = 96
    """Numbers per frame that the contents are narrowed to."""
    blocks_before: int = 4
    """ConvNeXt blocks before the attention."""
    blocks_after: int = 3
    """And after it."""
    heads: int = 4
    attention_reach: int = 100
    """Frames each way that the attention can see."""
    filter_window: int = 640
    """Window of the head's STFT, samples."""
    filter_bands: int = 80
    """Mel-spaced bands in which each filter is given."""
    units: int = 0
    """Contents of the target's own speech that the weights carry; 0: none."""
    neighbours: int = 4
    """Of them that stand for a frame: the mean of the nearest."""
    retrieval: float = 0.5
    """Share of a frame's content that they replace."""
    target_log_f0: float = 5.043
    """Mean log F0 (natural, Hz) of the voice: where sources' pitch is moved to."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for sizes that do not fit each other or are beyond `LARGEST`."""
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
        """Frames each way that a frame of the output depends on."""
        convolutions = 1 + self.blocks_before + self.blocks_after
        reach = self.kernel // 2 * convolutions + self.attention_reach + 2
        return -(-reach // self.frames_per_content) * self.frames_per_content

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for a weights file's metadata."""
        return asdict(self)
