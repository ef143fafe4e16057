"""Acoustic augmentation: reverberation, additive noise and loud transients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_vc.augmentation.noise_bank import RATE, Audio, NoiseBank

Range = tuple[float, float]
"""Lowest and highest value."""


@dataclass(frozen=True)
class AcousticAugment:
    """Probability and level of each effect."""

    room_share: float = 0.5
    """Share of recordings convolved with a room impulse response."""
    noise_share: float = 0.8
    """Share with additive noise."""
    snr_db: Range = (5.0, 35.0)
    """Signal-to-noise ratio of the noisy ones."""
    event_share: float = 0.3
    """Share with one or two loud transients."""
    event_db: Range = (0.0, 25.0)
    """Level of a transient relative to the speech."""

    def apply(self, audio: Audio, noises: NoiseBank, rng: np.random.Generator) -> Audio:
        """Return ``audio`` ``[T]`` at `RATE` with effects drawn by ``rng``, ``[T]``.

        Impulse responses begin with the direct sound, so the output is time-aligned with ``audio``.
        """
        if rng.random() < self.room_share:
            room = noises.rooms[int(rng.integers(len(noises.rooms)))].numpy()
            size = len(audio) + len(room)
            spread = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(room, size), size)
            audio = np.asarray(spread[: len(audio)], np.float32)
        level = float(np.sqrt(np.square(audio, dtype=np.float64).mean()))
        if rng.random() < self.noise_share:
            noise = noises.noises[int(rng.integers(len(noises.noises)))].numpy()
            start = int(rng.integers(len(noise)))
            bed = np.resize(np.roll(noise, -start), len(audio))
            gain = level * 10 ** (-rng.uniform(*self.snr_db) / 20)
            audio = np.asarray(audio + gain * bed, np.float32)
        if rng.random() < self.event_share:
            for _ in range(int(rng.integers(1, 3))):
                audio = audio + self._transient(len(audio), level, rng)
        return audio

    def _transient(self, length: int, level: float, rng: np.random.Generator) -> Audio:
        """Return ``[length]`` with a decaying noise burst at a random place: a door, a cough."""
        seconds = rng.uniform(0.02, 0.2)
        size = min(length, round(RATE * 2 * seconds))
        burst = rng.standard_normal(size) * np.exp(-np.arange(size) / (RATE * seconds / 3))
        if rng.random() < 0.5:  # half of the bursts are dull
            burst = np.convolve(burst, np.ones(16) / 4, "same")
        out = np.zeros(length, np.float32)
        start = int(rng.integers(0, length - size + 1))
        out[start : start + size] = burst * level * 10 ** (rng.uniform(*self.event_db) / 20)
        return out
