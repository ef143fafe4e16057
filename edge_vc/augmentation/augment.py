"""Random copies of a recording with other voices, rooms and microphones, seeded by name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.io import AudioError, Samples, read_beginning
from edge_vc.audio.noise_folder import scan_noises
from edge_vc.augmentation.effects import (
    EQUALISER_HZ,
    add_noise,
    add_room,
    change_gain,
    crop,
    equalise,
)
from edge_vc.augmentation.time_stretch import stretch
from edge_vc.augmentation.voice_perturbation import analyse, perturb_voice

Range = tuple[float, float]

_LONGEST_NOISE_SECONDS = 60.0
_LONGEST_ROOM_SECONDS = 15.0


@dataclass(frozen=True)
class AugmentSettings:
    """Ranges to draw from, and how often; a share of 0 switches a step off."""

    voice_share: float = 0.5
    """Share of copies whose pitch and formants are shifted by WORLD."""
    semitones: Range = (-4.0, 4.0)
    warp: Range = (0.87, 1.15)
    """Factor of the formant frequencies."""
    stretch_share: float = 0.3
    stretch: Range = (0.87, 1.15)
    """Factor of the duration."""
    equaliser_share: float = 0.7
    equaliser_db: float = 4.0
    """Standard deviation of the gain at each of `EQUALISER_HZ`."""
    room_share: float = 0.5
    noise_share: float = 0.7
    snr_db: Range = (5.0, 30.0)
    gain_db: Range = (-9.0, 3.0)
    crop_seconds: float = 0.0
    """Length of a random crop; 0 keeps everything."""

    def __post_init__(self) -> None:
        """Check shares and ranges; raises `AudioError` with the wrong one."""
        for name, value in vars(self).items():
            if name.endswith("_share") and not 0 <= value <= 1:
                raise AudioError(f"{name} is {value}; give 0 to 1")
            if isinstance(value, tuple) and not value[0] <= value[1]:
                raise AudioError(f"{name} is {value}; give the lower limit first")


@dataclass(frozen=True)
class Surroundings:
    """Recorded noises and rooms to draw from."""

    noises: tuple[Path, ...] = ()
    rooms: tuple[Path, ...] = ()

    @classmethod
    def open(cls, noises: str | Path | None, rooms: str | Path | None) -> Surroundings:
        """List the audio files under two folders, either of which may be None or empty.

        Raises `AudioError` for a folder that contains none; unreadable files are left out, see
        `noise_notices`.
        """
        return cls(_audio_files(noises), _audio_files(rooms))


def rng_of(seed: int, name: str, number: int = 0) -> np.random.Generator:
    """Return the generator for a copy of a file, the same wherever and whenever it is made."""
    digest = hashlib.sha256(f"{seed}:{number}:{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def augment(
    samples: Samples,
    sample_rate: int,
    rng: np.random.Generator,
    settings: AugmentSettings | None = None,
    surroundings: Surroundings | None = None,
) -> Samples:
    """Return a random copy of ``[T]``; its length changes with the tempo and the crop.

    Effects follow the physical order: voice and tempo, microphone response, room, noise, gain.
    Peaks are kept below full scale. The same generator state gives the same samples.
    """
    settings, around = settings or AugmentSettings(), surroundings or Surroundings()
    audio = samples.astype(np.float32)
    if _happens(rng, settings.voice_share):
        audio = _other_voice(audio, sample_rate, rng, settings)
    if _happens(rng, settings.stretch_share):
        audio = stretch(audio, sample_rate, _log_uniform(rng, settings.stretch))
    if settings.crop_seconds:
        audio = crop(audio, round(settings.crop_seconds * sample_rate), rng.random())
    if _happens(rng, settings.equaliser_share):
        gains = rng.normal(0.0, settings.equaliser_db, len(EQUALISER_HZ))
        audio = equalise(audio, sample_rate, gains)
    if _happens(rng, settings.room_share) and around.rooms:
        room = _pick(rng, around.rooms)
        audio = add_room(audio, read_beginning(room, sample_rate, _LONGEST_ROOM_SECONDS))
    if _happens(rng, settings.noise_share):
        noise = _some_noise(rng, around.noises, audio.shape[0], sample_rate)
        audio = add_noise(audio, noise, rng.uniform(*settings.snr_db))
    audio = change_gain(audio, rng.uniform(*settings.gain_db))
    peak = float(np.abs(audio).max(initial=0.0))
    return audio if peak <= 0.99 else (audio * np.float32(0.99 / peak)).astype(np.float32)


def _other_voice(
    samples: Samples, sample_rate: int, rng: np.random.Generator, settings: AugmentSettings
) -> Samples:
    analysis = analyse(samples.astype(np.float64), sample_rate)
    warp = _log_uniform(rng, settings.warp)
    voice = perturb_voice(analysis, rng.uniform(*settings.semitones), warp)
    # WORLD works in whole frames.
    return np.resize(np.pad(voice, (0, max(0, len(samples) - len(voice)))), len(samples)).astype(
        np.float32
    )


def _some_noise(
    rng: np.random.Generator, noises: Sequence[Path], length: int, sample_rate: int
) -> Samples:
    """Return ``[length]`` of a recorded noise from a random place, or of equalised white noise."""
    if not noises:
        noise = rng.standard_normal(length).astype(np.float32)
        return equalise(noise, sample_rate, rng.normal(0.0, 6.0, len(EQUALISER_HZ)))
    noise = read_beginning(_pick(rng, noises), sample_rate, _LONGEST_NOISE_SECONDS)
    return np.roll(noise, -int(rng.integers(0, noise.shape[0])))


def _happens(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def _log_uniform(rng: np.random.Generator, limits: Range) -> float:
    return float(np.exp(rng.uniform(*np.log(limits))))


def _pick(rng: np.random.Generator, paths: Sequence[Path]) -> Path:
    return paths[int(rng.integers(0, len(paths)))]


def _audio_files(folder: str | Path | None) -> tuple[Path, ...]:
    if not folder:
        return ()
    if not Path(folder).is_dir():
        raise AudioError(f"{folder}: no such folder; give one with recordings to draw from")
    found = scan_noises(Path(folder))
    if not found.files:
        raise AudioError(found.nothing())
    return found.files
