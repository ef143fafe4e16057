"""What a content encoder is: frames of numbers that tell what is said, hardly who says it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn


class ContentError(ValueError):
    """A content encoder that cannot be opened or used; one line with the fact and the fix."""


class ContentEncoder(Protocol):
    """A frozen network from audio to content frames; used where one trains and converts offline."""

    @property
    def name(self) -> str:
        """What a recipe calls it."""
        ...

    @property
    def width(self) -> int:
        """Numbers per frame."""
        ...

    @property
    def frame_rate(self) -> int:
        """Frames per second."""
        ...

    @property
    def sample_rate(self) -> int:
        """Rate of the audio it takes, Hz."""
        ...

    def encode(self, audio: Tensor) -> Tensor:
        """Return contents ``[F, width]`` of mono ``audio`` ``[T]``.

        ``F`` is ``T * frame_rate / sample_rate``, rounded up. Raises `ContentError` for
        audio of another shape or none.
        """
        ...


def padded(audio: Tensor, samples: int) -> Tensor:
    """Return ``audio`` ``[T]`` with silence up to a multiple of ``samples``.

    Raises `ContentError` unless it is mono with at least one sample.
    """
    if audio.ndim != 1 or not len(audio):
        raise ContentError(
            f"contents are of mono audio [T] with samples in it; got shape {list(audio.shape)}"
        )
    return nn.functional.pad(audio, (0, -len(audio) % samples))
