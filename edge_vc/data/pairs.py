"""Training pairs from recordings: as they are, and as they should sound."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import read_audio
from edge_vc.audio.level import normalize_level
from edge_vc.audio.pitch import track_pitch
from edge_vc.augmentation.voice_perturbation import FRAME_MS, HIGHEST_HZ, LOWEST_HZ
from edge_vc.data.pair_set import HOP, SAMPLE_RATE, TARGET_DB, PairSet, as_int16, cleaned
from edge_vc.data.stored_arrays import read_arrays, store_arrays, stored_arrays
from edge_vc.data.utterance import Utterance
from edge_vc.workers.ordered import parallel_map
from edge_vc.workers.progress import Progress, no_progress

_VERSION = 4
"""Increased whenever pairs are computed differently, so that an older cache is not used."""


def hop_f0(f0: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Return WORLD's contour at the middle of each hop: every other 5 ms frame from the second."""
    stride = round(HOP / SAMPLE_RATE * 1000 / FRAME_MS)
    picked = f0[stride // 2 :: stride][:frames]
    return np.pad(picked, (0, frames - len(picked))).astype(np.float32)


def make_pairs(source: Utterance) -> PairSet:
    """Level one recording, track its pitch and reduce its noise."""
    recording = read_audio(source.path, SAMPLE_RATE)
    raw = normalize_level(recording, SAMPLE_RATE, TARGET_DB)
    frames = len(raw) // HOP
    hop = round(FRAME_MS / 1000 * SAMPLE_RATE)
    f0 = track_pitch(raw, SAMPLE_RATE, hop, LOWEST_HZ, HIGHEST_HZ).f0
    return PairSet(
        source.speaker,
        source.utt_id,
        hop_f0(f0, frames),
        as_int16(cleaned(raw), frames),
        as_int16(raw, frames),
    )


def pair_files(
    sources: Sequence[Utterance],
    cache: Path,
    *,
    workers: int = 2,
    progress: Progress = no_progress,
) -> list[Path]:
    """Make the pairs of ``sources`` under ``cache`` in ``workers`` processes; keep existing ones.

    Returns their files, for `load_pairs`. Raises `WorkerLostError` if a process dies.
    """
    folder = cache / f"version-{_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(source, folder / f"{source.speaker}-{source.utt_id}.npz") for source in sources]
    missing = [job for job in jobs if _missing(job)]
    for _ in progress(parallel_map(_store, missing, workers), len(missing), "recordings"):
        pass
    return [path for _, path in jobs]


def load_pairs(path: Path) -> PairSet:
    """Read what `store_pairs` stored; raises `StoredArraysError` for a damaged file."""
    stored = read_arrays(path)
    return PairSet(
        str(stored["speaker"]),
        str(stored["name"]),
        stored["f0"],
        stored["target"],
        stored["source"],
    )


def store_pairs(pairs: PairSet, path: Path, made_of: str = "") -> None:
    """Store what `load_pairs` reads, atomically."""
    arrays = {
        "speaker": np.array(pairs.speaker),
        "name": np.array(pairs.name),
        "f0": pairs.f0,
        "target": pairs.target,
        "source": pairs.source,
    }
    store_arrays(path, arrays, made_of)


def _made_of(source: Utterance, recipe: str) -> str:
    """Return a hash of the recording and the recipe; pairs with another one are not used."""
    with source.path.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()} {recipe}"


def _missing(job: tuple[Utterance, Path]) -> bool:
    source, path = job
    return not path.exists() or stored_arrays(path, _made_of(source, path.parent.name)) is None


def _store(job: tuple[Utterance, Path]) -> Path:
    source, path = job
    made_of = _made_of(source, path.parent.name)
    store_pairs(make_pairs(source), path, made_of)
    return path
