"""From all channels to one: their mean, or the loudest where they cancel each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edge_vc_runtime.audio.wav import Channels
from edge_vc_runtime.samples import Samples

_CANCELS = 0.1
"""Energy of the mean over that of channels without relation; -10 dB, which chance never gives."""
_AUDIBLE = 1e-6
"""Mean square, -60 dBFS: what is below says nothing about how channels are related."""


class Downmix:
    """Mixes ``[T, channels]`` to mono.

    One wire of a balanced line swapped turns the second channel over: the mean is then silence.
    Decided once, by `decide` or by the first audible block, so that nothing changes on the way.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._decided = channels == 1
        self.chosen: int | None = None
        """Channel that is taken alone, from 0; None for the mean."""

    @property
    def notice(self) -> str | None:
        """One line where a channel is taken alone."""
        if self.chosen is None:
            return None
        return (
            f"its channels cancel each other (opposite polarity): channel {self.chosen + 1}, the "
            "loudest, is taken alone"
        )

    def decide(self, blocks: Iterable[Channels]) -> None:
        """Look at audio from the beginning and decide for all that follows."""
        energy = np.zeros(self._channels)
        mixed, frames = 0.0, 0
        for block in blocks:
            with np.errstate(all="ignore"):
                energy += np.square(block, dtype=np.float64).sum(axis=0)
                mixed += float(np.square(block.mean(axis=1, dtype=np.float64)).sum())
            frames += block.shape[0]
        self._decide(energy, mixed, frames)

    def silent(self, block: Channels) -> bool:
        """Whether a block says nothing about how its channels are related."""
        with np.errstate(all="ignore"):
            total = float(np.square(block, dtype=np.float64).sum())
        return bool(np.isfinite(total)) and total <= _AUDIBLE * block.size

    def mix(self, block: Channels) -> Samples:
        """Return mono ``[T]``."""
        if not self._decided:
            self.decide([block])
        if self._channels == 1:
            return block[:, 0]
        if self.chosen is not None:
            return np.ascontiguousarray(block[:, self.chosen])
        with np.errstate(invalid="ignore", over="ignore"):
            mono: Samples = block.mean(axis=1, dtype=np.float32)
        return mono

    def _decide(self, energy: np.ndarray, mixed: float, frames: int) -> None:
        total = float(energy.sum())
        if not np.isfinite(total) or total <= _AUDIBLE * frames * self._channels:
            return
        self._decided = True
        if mixed < _CANCELS * total / self._channels**2:
            self.chosen = int(energy.argmax())
