"""Noises and room responses for augmenting training inputs, synthetic and recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.audio.io import read_beginning
from edge_vc.audio.noise_folder import noise_notices, scan_noises

Audio = NDArray[np.float32]

RATE = 16_000
SECONDS = 10
"""Length of every noise; it is repeated."""
_ROOM = RATE // 2
_BABBLES, _VOICES = 8, 6


@dataclass(frozen=True)
class NoiseBank:
    """All noises and room impulse responses."""

    noises: Tensor
    """``[K, RATE * SECONDS]`` of unit power."""
    rooms: Tensor
    """Impulse responses ``[R, N]`` of unit energy that begin with the direct sound."""

    @classmethod
    def build(
        cls,
        voices: Sequence[NDArray[np.int16]],
        recorded: Sequence[Audio] = (),
        rooms: Sequence[Audio] = (),
    ) -> NoiseBank:
        """Synthesise coloured noises, hums, babble of ``voices``, and simple rooms; seeded.

        ``recorded`` noises and ``rooms``, each ``[T]``, are added to them.
        """
        rng = np.random.default_rng(0)
        noises = [_coloured(rng, slope) for slope in np.linspace(-2.0, 1.0, 8)]
        noises += [_hum(rng, hertz) for hertz in (50.0, 60.0, 120.0, 230.0)]
        noises += [_babble(rng, voices) for _ in range(_BABBLES if voices else 0)]
        noises += [np.resize(noise, RATE * SECONDS) for noise in recorded]
        responses = [_room(rng, seconds) for seconds in np.geomspace(0.1, 0.8, 12)]
        responses += [_direct_first(room) for room in rooms]
        stacked = np.stack([_unit_power(noise) for noise in noises])
        return cls(
            torch.from_numpy(stacked),
            torch.from_numpy(np.stack([_unit_energy(room) for room in responses])),
        )


def read_folder(folder: Path, say: Callable[[str], None] | None = None) -> list[Audio]:
    """Return every recording under ``folder`` at `RATE`, by name; none if it does not exist.

    ``say`` receives a line for every file that looks like audio and is left out or not used as is.
    """
    if not folder.is_dir():
        return []
    if say is not None:
        for notice in noise_notices(folder):
            say(notice)
    return [read_beginning(path, RATE, SECONDS + 1) for path in scan_noises(folder).files]


def _coloured(rng: np.random.Generator, slope: float) -> Audio:
    """Return noise with amplitude ``frequency ** slope`` and a slowly changing level."""
    size = RATE * SECONDS
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 50.0)
    noise = np.fft.irfft(spectrum * hertz**slope, size)
    knots = rng.uniform(0.5, 1.5, 12)
    swell = np.interp(np.linspace(0, 11, size), np.arange(12), knots)
    return np.asarray(noise * swell, np.float32)


def _hum(rng: np.random.Generator, hertz: float) -> Audio:
    time = np.arange(RATE * SECONDS) / RATE
    parts = [
        rng.uniform(0, 1) / k * np.sin(2 * np.pi * k * hertz * time + rng.uniform(0, 6))
        for k in range(1, 12)
    ]
    return np.asarray(np.sum(parts, 0) + 0.05 * rng.standard_normal(len(time)), np.float32)


def _babble(rng: np.random.Generator, voices: Sequence[NDArray[np.int16]]) -> Audio:
    mixed = np.zeros(RATE * SECONDS, np.float32)
    for index in rng.choice(len(voices), min(_VOICES, len(voices)), replace=False):
        voice = np.roll(voices[index], int(rng.integers(len(voices[index]))))
        mixed += np.resize(_unit_power(voice.astype(np.float32)), len(mixed))
    return mixed


def _room(rng: np.random.Generator, seconds: float) -> Audio:
    """Return a direct sound and a tail of noise that decays by 60 dB within ``seconds``."""
    time = np.arange(_ROOM) / RATE
    tail = rng.standard_normal(_ROOM) * 10 ** (-3 * time / seconds)
    tail[: rng.integers(30, 200)] = 0.0
    energy = float(np.square(tail).sum())
    tail *= 10 ** (-rng.uniform(0.0, 12.0) / 20) / max(energy, 1e-9) ** 0.5
    tail[0] = 1.0
    return tail.astype(np.float32)


def _direct_first(response: Audio) -> Audio:
    """Cut off the delay before the direct sound and everything beyond `_ROOM` samples."""
    direct = response[int(np.abs(response).argmax()) :][:_ROOM]
    return np.pad(direct, (0, _ROOM - len(direct)))


def _unit_power(noise: Audio) -> Audio:
    power = float(np.square(noise, dtype=np.float64).mean())
    return np.asarray(noise / max(power, 1e-12) ** 0.5, np.float32)


def _unit_energy(response: Audio) -> Audio:
    energy = float(np.square(response, dtype=np.float64).sum())
    return np.asarray(response / max(energy, 1e-12) ** 0.5, np.float32)
