"""Downmix of all channels to one: their mean, or the loudest if they cancel each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from edge_vc_runtime.audio.wav import Channels
from edge_vc_runtime.samples import Samples

_CANCELS = 0.1
"""Energy of the mean relative to that of uncorrelated channels; -10 dB never occurs by chance."""
_AUDIBLE = 1e-6
"""Mean square, -60 dBFS: below this, nothing is known about the channels' correlation."""


class Downmix:
    """Mixes ``[T, channels]`` to mono.

    If the wires of a balanced line are swapped, the second channel is inverted and the mean is
    silence. Decided once, by `decide` or by the first audible block, so that nothing changes later.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._decided = channels == 1
        self.chosen: int | None = None
        """The only channel used, from 0; None for the mean."""

    @property
    def notice(self) -> str | None:
        """One line if only one channel is used."""
        if self.chosen is None:
            return None
        return (
            f"its channels cancel each other (opposite polarity): channel {self.chosen + 1}, the "
            "loudest, is taken alone"
        )

    def decide(self, blocks: Iterable[Channels]) -> None:
        """Decide from the beginning of the audio how all of it is mixed."""
        energy = np.zeros(self._channels)
        mixed, frames = 0.0, 0
        for block in blocks:
            with np.errstate(all="ignore"):
                energy += np.square(block, dtype=np.float64).sum(axis=0)
                mixed += float(np.square(block.mean(axis=1, dtype=np.float64)).sum())
            frames += block.shape[0]
        self._decide(energy, mixed, frames)

    def silent(self, block: Channels) -> bool:
        """Return whether a block is too quiet to tell how its channels are correlated."""
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
