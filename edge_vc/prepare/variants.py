"""Augmented copies of a piece."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edge_vc.audio.io import Samples
from edge_vc.augmentation.augment import Surroundings, augment, rng_of
from edge_vc.prepare.settings import SAMPLE_RATE, PrepareSettings
from edge_vc.prepare.write import write_piece


@dataclass(frozen=True)
class Variants:
    """The copies that were written."""

    paths: tuple[str, ...] = ()
    """Relative to the prepared corpus."""
    seconds: tuple[float, ...] = ()
    """Duration of each, which varies because the tempo is augmented too."""


def write_variants(root: Path, name: str, samples: Samples, settings: PrepareSettings) -> Variants:
    """Write ``settings.variants`` copies of ``[T]``.

    The random draws depend only on the seed, the piece's name and the copy's number.
    """
    around = surroundings(settings.noise, settings.rooms)
    paths, seconds = [], []
    for number in range(1, settings.variants + 1):
        rng = rng_of(settings.seed, name, number)
        copy = augment(samples, SAMPLE_RATE, rng, surroundings=around)
        paths.append(write_piece(root, f"{name}-v{number}", copy, settings.audio_format))
        seconds.append(round(copy.shape[0] / SAMPLE_RATE, 3))
    return Variants(tuple(paths), tuple(seconds))


@cache
def surroundings(noise: str, rooms: str) -> Surroundings:
    """Return the noises and room responses of two folders, listed once; raises `AudioError`."""
    return Surroundings.open(noise, rooms)
