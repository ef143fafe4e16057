"""Training data of a distilled content encoder: hama's frames and the other encoder's output."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.audio.io import read_audio, resample
from edge_vc.audio.level import normalize_level
from edge_vc.augmentation.noise_bank import NoiseBank, read_folder
from edge_vc.data.stored_arrays import read_arrays, store_arrays, stored_arrays
from edge_vc.data.utterance import Utterance
from edge_vc.models.content.encoder import ContentEncoder, ContentError
from edge_vc.models.content.hama import BLOCKS, FRAME, RATE, HamaEncoder, open_hama
from edge_vc.models.content.registry import open_contents
from edge_vc.settings.field import RecipeError
from edge_vc.training.contents.settings import ContentsSettings
from edge_vc.workers.ordered import parallel_map
from edge_vc.workers.progress import Progress, no_progress

_VERSION = 2
"""Increased whenever frames are computed differently, so that an older cache is not used."""
_LEVEL_DB = -23.0
_BABBLERS = 24
_BABBLE_SECONDS = 10


@dataclass(frozen=True)
class EncodedRecording:
    """One recording of ``F`` frames at one speed."""

    clean: NDArray[np.float16]
    """Output of all of hama's blocks, ``[F, HEARD]``."""
    disturbed: NDArray[np.float16]
    """The same with reverberation, noise or loud transients on the input."""
    target: NDArray[np.float16]
    """Output of the other encoder for the clean recording, ``[F, width]``."""


@dataclass(frozen=True)
class HearingJob:
    """One recording at one speed, encoded in a separate process."""

    path: Path
    speed: float
    out: Path
    settings: ContentsSettings
    noises: tuple[Path, Path] | None
    """Folders of recorded noises and room impulse responses."""
    babblers: tuple[Path, ...]
    """Recordings from which babble is mixed."""

    @property
    def made_of(self) -> str:
        """What the stored frames were computed from."""
        content = hashlib.sha256(self.path.read_bytes()).hexdigest()
        return f"{_VERSION} {content} {self.speed}"


@dataclass(frozen=True)
class ContentsBatch:
    """``B`` crops of ``F`` frames."""

    heard: Tensor
    """``[B, F, HEARD]``"""
    target: Tensor
    """``[B, F, width]``"""


class ContentsSpeech:
    """Recordings of many speakers; crops are drawn by seed and step."""

    def __init__(self, recordings: Sequence[EncodedRecording], settings: ContentsSettings) -> None:
        """Raise `RecipeError` if no recording is as long as a crop."""
        self.settings = settings
        self.recordings = recordings
        lengths = np.array([max(0, len(r.target) - settings.frames + 1) for r in recordings])
        if not lengths.any():
            seconds = settings.frames / HamaEncoder.frame_rate
            raise RecipeError(
                f"no recording is {seconds:.2f} s long, the length of a crop; give longer ones"
            )
        self._shares = lengths / lengths.sum()

    def draw(self, step: int) -> ContentsBatch:
        """Return the crops of a step."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, step])
        heard, targets = [], []
        for place in rng.choice(len(self._shares), settings.crops, p=self._shares):
            recording = self.recordings[int(place)]
            start = int(rng.integers(0, len(recording.target) - settings.frames + 1))
            crop = slice(start, start + settings.frames)
            disturbed = rng.random() < settings.disturbed_share
            heard.append((recording.disturbed if disturbed else recording.clean)[crop])
            targets.append(recording.target[crop])
        kept = rng.random((settings.crops, 1, heard[0].shape[1])) >= settings.dropped
        return ContentsBatch(
            torch.from_numpy(np.stack(heard).astype(np.float32) * kept.astype(np.float32)),
            torch.from_numpy(np.stack(targets).astype(np.float32)),
        )

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Return the mean and standard deviation of the targets, ``[width]`` each."""
        frames = np.concatenate([r.target for r in self.recordings]).astype(np.float32)
        spread = np.maximum(frames.std(0), 1e-3)
        return torch.from_numpy(frames.mean(0)), torch.from_numpy(spread)


def encoded_recordings(
    utterances: Sequence[Utterance],
    cache: Path,
    settings: ContentsSettings,
    noises: Path | None = None,
    *,
    workers: int = 1,
    progress: Progress = no_progress,
) -> list[EncodedRecording]:
    """Run both encoders on every recording at every speed; keep results that are there already.

    ``noises`` is a folder that contains ``noise`` and ``rir``. Returns the recordings at the first
    speed, then those at the second, and so on. Raises `ContentError` if an encoder is missing.
    """
    recipe = (_VERSION, settings.teacher, asdict(settings.heard), noises is not None)
    folder = cache / hashlib.sha256(repr(recipe).encode()).hexdigest()[:10]
    folder.mkdir(parents=True, exist_ok=True)
    beds = None if noises is None else (noises / "noise", noises / "rir")
    paths = [utterance.path for utterance in utterances]
    babblers = tuple(paths[:: max(1, len(paths) // _BABBLERS)][:_BABBLERS])
    jobs = [
        HearingJob(
            utterance.path,
            speed,
            folder / f"{utterance.speaker}-{utterance.utt_id}-{speed:g}.npz",
            settings,
            beds,
            babblers,
        )
        for speed in settings.speeds
        for utterance in utterances
    ]
    missing = [job for job in jobs if stored_arrays(job.out, job.made_of) is None]
    if missing:
        _encoders(settings.teacher)  # fails here once, in one line, not in every process
    made = parallel_map(store_encoded, missing, workers)
    for _ in progress(made, len(missing), f"contents (hama, {settings.teacher})"):
        pass
    return [load_encoded(job.out) for job in jobs]


def load_encoded(path: Path) -> EncodedRecording:
    """Read what `store_encoded` stored; raises `StoredArraysError` for a damaged file."""
    stored = read_arrays(path)
    return EncodedRecording(stored["clean"], stored["disturbed"], stored["target"])


def store_encoded(job: HearingJob) -> Path:
    """Run both encoders on one recording and store their output atomically."""
    hama, other = _encoders(job.settings.teacher)
    audio = resample(read_audio(job.path, RATE), round(RATE * job.speed), RATE)
    audio = normalize_level(audio, RATE, _LEVEL_DB)
    digest = hashlib.sha256(f"{job.out.stem}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    disturbed = job.settings.heard.apply(audio, _noises(job.noises, job.babblers), rng)
    disturbed = np.clip(normalize_level(disturbed, RATE, _LEVEL_DB), -1.0, 1.0)
    said = {
        "clean": hama.blocks(torch.from_numpy(audio)),
        "disturbed": hama.blocks(torch.from_numpy(disturbed)),
        "target": other.encode(torch.from_numpy(audio)),
    }
    frames = len(audio) // FRAME
    arrays: dict[str, NDArray[Any]] = {
        name: value[:frames].numpy().astype(np.float16) for name, value in said.items()
    }
    store_arrays(job.out, arrays, job.made_of)
    return job.out


@lru_cache(maxsize=1)
def _encoders(teacher: str) -> tuple[HamaEncoder, ContentEncoder]:
    """Open both encoders once per process; raises `ContentError`."""
    other = open_contents(teacher)
    if other.frame_rate != HamaEncoder.frame_rate:
        raise ContentError(
            f"teacher = {teacher}: its frames come at {other.frame_rate} Hz, hama's at "
            f"{HamaEncoder.frame_rate} Hz"
        )
    return open_hama(BLOCKS), other


@lru_cache(maxsize=1)
def _noises(folders: tuple[Path, Path] | None, babblers: tuple[Path, ...]) -> NoiseBank:
    """Return recorded and synthetic noises, and babble of the recordings."""
    voices = [
        (np.clip(read_audio(path, RATE)[: RATE * _BABBLE_SECONDS], -1, 1) * 32767).astype(np.int16)
        for path in babblers
    ]
    recorded, rooms = ([], []) if folders is None else map(read_folder, folders)
    return NoiseBank.build(voices, recorded, rooms)
