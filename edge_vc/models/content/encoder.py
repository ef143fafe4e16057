"""The interface of a content encoder: frames that encode what is said and little of who says it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn


class ContentError(ValueError):
    """A content encoder that cannot be opened or used; the message is one line with the fix."""


class ContentEncoder(Protocol):
    """A frozen network from audio to content frames, used in training and offline conversion."""

    @property
    def name(self) -> str:
        """Its name in a recipe."""
        ...

    @property
    def width(self) -> int:
        """Values per frame."""
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

        ``F`` is ``T * frame_rate / sample_rate``, rounded up. Raises `ContentError` for audio of
        another shape and for empty audio.
        """
        ...


def padded(audio: Tensor, samples: int) -> Tensor:
    """Return ``audio`` ``[T]``, padded with silence to a multiple of ``samples``.

    Raises `ContentError` unless it is mono with at least one sample.
    """
    if audio.ndim != 1 or not len(audio):
        raise ContentError(
            f"contents are of mono audio [T] with samples in it; got shape {list(audio.shape)}"
        )
    return nn.functional.pad(audio, (0, -len(audio) % samples))
