"""Sizes of the teacher, as a weights file's metadata and a recipe name them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

HEADS = ("source-filter", "istft")


@dataclass(frozen=True)
class TeacherConfig:
    """Sizes of the network; lengths in samples or frames as said."""

    sample_rate: int = 16_000
    hop: int = 160
    mel_bands: int = 80
    channels: int = 256
    expansion: int = 3
    kernel: int = 7
    floor: float = -20.0
    """Lowest input in nats, relative to the channel's mean: what is softer is not told apart, so
    that a quiet room and a noisy one sound the same. -20 keeps everything."""
    encoder_blocks: int = 4
    attention_blocks: int = 2
    heads: int = 4
    attention_reach: int = 100
    """Frames each way that each attention block can see."""
    bottleneck: int = 64
    units: int = 0
    """Contents of the target's own speech that the weights carry; 0: none."""
    neighbours: int = 8
    """Of them that a frame's content is replaced by: the mean of the nearest."""
    retrieval: float = 1.0
    """Share of a frame's content that is so replaced."""
    decoder_blocks: int = 4
    head: str = "source-filter"
    """``source-filter``, or ``istft``: a spectrum of its own per frame (Siuzdak 2023)."""
    filter_window: int = 640
    """Window of the head's STFT, samples."""
    filter_bands: int = 80
    """Mel-spaced bands in which each filter is given."""
    speakers: int = 1
    """Voices the decoder knows; what ships knows one."""
    target_log_f0: float = 5.043
    """Mean log F0 (natural, Hz) of voice 0: where sources' pitch is moved to."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for sizes that do not fit each other and for an unknown head."""
        if self.head not in HEADS:
            raise ValueError(f"teacher head {self.head!r} is not one of {', '.join(HEADS)}")
        if self.channels % self.heads:
            raise ValueError(f"{self.channels} channels do not divide by {self.heads} heads")

        if self.units and not 1 <= self.neighbours <= self.units:
            raise ValueError(f"{self.neighbours} neighbours of {self.units} units")
        if not 0 <= self.retrieval <= 1:
            raise ValueError(f"retrieval = {self.retrieval}: must be within 0..1")

    @property
    def context_frames(self) -> int:
        """Frames each way that a frame of the output depends on."""
        half = self.kernel // 2
        attentions = 2 * (self.attention_blocks // 2)
        convolutions = 2 + self.encoder_blocks + self.decoder_blocks
        return half * convolutions + attentions * self.attention_reach + 2

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for a weights file's metadata."""
        return asdict(self)
