"""Section ``[noise]``: noise and reverberation on a student's input; labels stay those of the clean
recordings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.audio.noise_folder import NOISE_FOLDERS
from edge_vc.augmentation.acoustic_augment import AcousticAugment
from edge_vc.augmentation.noise_bank import NoiseBank, read_folder
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.settings.field import RecipeError, number
from edge_vc.settings.paths import path_field

_BABBLERS = 24


@dataclass(frozen=True)
class NoiseSettings:
    """Noise and reverberation added to a student's training input, not to its teacher's."""

    share: float = number(0.0, 0.0, 1.0)
    """Share of the segments whose input is a noisy copy of the recording; 0: none."""
    copies: int = number(1, 1, 8, "copies")
    """Noisy copies of every recording, computed once before training."""
    folder: str = path_field()
    """Folder with recorded ``noise/`` and ``rir/`` besides synthetic ones; empty: none."""
    rooms: float = number(0.5, 0.0, 1.0)
    """Share of the copies with reverberation."""
    noises: float = number(0.8, 0.0, 1.0)
    """Share of the copies with noise: coloured, hum, or babble of the recordings' own speakers."""
    lowest_snr_db: float = number(5.0, -20.0, 80.0, "dB")
    """Lowest signal-to-noise ratio."""
    highest_snr_db: float = number(35.0, -20.0, 80.0, "dB")
    """Highest signal-to-noise ratio."""
    events: float = number(0.3, 0.0, 1.0)
    """Share of the copies with one or two loud transients, 0 to 25 dB above the speech."""

    def __post_init__(self) -> None:
        """Raise `RecipeError` if nothing can be drawn."""
        if self.lowest_snr_db > self.highest_snr_db:
            raise RecipeError(
                f"lowest_snr_db = {self.lowest_snr_db:g}: is above highest_snr_db = "
                f"{self.highest_snr_db:g}"
            )


class NoiseAugmentation:
    """Makes noisy copies of each recording, the same ones each time."""

    def __init__(self, settings: NoiseSettings, examples: Sequence[LabelledAudio]) -> None:
        """Read the noises; babble is mixed from ``examples``.

        Raises `RecipeError` for a bad folder.
        """
        self.share, self._copies = settings.share, settings.copies
        some = examples[:: max(1, len(examples) // _BABBLERS)][:_BABBLERS]
        folders = noise_folders(settings)
        recorded, rooms = map(read_folder, folders) if folders else ([], [])
        self._bank = NoiseBank.build([example.source for example in some], recorded, rooms)
        self._augment = AcousticAugment(
            settings.rooms,
            settings.noises,
            (settings.lowest_snr_db, settings.highest_snr_db),
            settings.events,
        )

    def copies(self, source: Samples, index: int) -> list[Samples]:
        """Return the copies of recording number ``index`` ``[T]``, within full scale.

        Noises and impulse responses are at 16 kHz and are used at the recording's rate unchanged.
        """
        drawn = (np.random.default_rng([index, copy]) for copy in range(self._copies))
        return [np.clip(self._augment.apply(source, self._bank, rng), -1.0, 1.0) for rng in drawn]


def noise_folders(settings: NoiseSettings) -> tuple[Path, Path] | None:
    """Return the folders of noises and impulse responses; None if only synthetic ones are used.

    Raises `RecipeError` if neither exists.
    """
    if not settings.folder:
        return None
    noise, rooms = (Path(settings.folder) / name for name in NOISE_FOLDERS)
    if not noise.is_dir() and not rooms.is_dir():
        raise RecipeError(
            f'noise.folder = "{settings.folder}": has neither noise/ nor rir/ in it; leave it '
            "empty for synthetic noises"
        )
    return noise, rooms


def noise_hash(settings: NoiseSettings) -> str:
    """Return the sha256 over recorded noises and impulse responses; empty if there are none."""
    folders = noise_folders(settings)
    if folders is None:
        return ""
    digest = hashlib.sha256()
    for root in folders:
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(root.parent).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()
