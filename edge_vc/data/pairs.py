"""Training pairs made from one speaker's sentences: perturbed speech in, the recording out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import read_audio
from edge_vc.audio.level import normalize_level
from edge_vc.audio.pitch import track_pitch
from edge_vc.augmentation.voice_perturbation import (
    FRAME_MS,
    HIGHEST_HZ,
    LOWEST_HZ,
    PerturbSettings,
    analyse,
    perturb,
)
from edge_vc.data.pair_set import HOP, SAMPLE_RATE, TARGET_DB, PairSet, as_int16, cleaned
from edge_vc.data.stored_arrays import read_arrays, store_arrays, stored_arrays
from edge_vc.data.utterance import Utterance
from edge_vc.workers.ordered import parallel_map
from edge_vc.workers.progress import Progress, no_progress

_VERSION = 3
"""Goes up when pairs come out otherwise, so that a cache of older ones is not used."""


def hop_f0(f0: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """WORLD's contour at the middle of each hop: every other 5 ms frame from the second on."""
    stride = round(HOP / SAMPLE_RATE * 1000 / FRAME_MS)
    picked = f0[stride // 2 :: stride][:frames]
    return np.pad(picked, (0, frames - len(picked))).astype(np.float32)


def make_pairs(
    source: Utterance, variants: int, seed: int, settings: PerturbSettings, clean: bool
) -> PairSet:
    """Analyse one recording and perturb it ``variants`` times."""
    recording = read_audio(source.path, SAMPLE_RATE)
    raw = normalize_level(recording, SAMPLE_RATE, TARGET_DB)
    frames = len(raw) // HOP
    digest = hashlib.sha256(f"{seed}:{source.utt_id}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    hop = round(FRAME_MS / 1000 * SAMPLE_RATE)
    f0 = track_pitch(raw, SAMPLE_RATE, hop, LOWEST_HZ, HIGHEST_HZ).f0
    inputs = [as_int16(raw, frames)]
    if variants:
        analysis = analyse(raw.astype(np.float64), SAMPLE_RATE)
        voices = (perturb(analysis, rng, settings)[0] for _ in range(variants))
        levelled = (normalize_level(v.astype(np.float32), SAMPLE_RATE, TARGET_DB) for v in voices)
        inputs += [as_int16(voice, frames) for voice in levelled]
    return PairSet(
        source.speaker,
        source.utt_id,
        hop_f0(f0, frames),
        as_int16(cleaned(raw) if clean else raw, frames),
        np.stack(inputs),
    )


def cached_pairs(
    sources: Sequence[Utterance],
    cache: Path,
    *,
    variants: int,
    seed: int = 0,
    clean: bool = True,
    settings: PerturbSettings | None = None,
    workers: int = 2,
    progress: Progress = no_progress,
) -> list[PairSet]:
    """Make the pairs of ``sources`` under ``cache`` in ``workers`` processes; keep what is there.

    Raises `WorkerLostError` when a process dies.
    """
    paths = pair_files(
        sources,
        cache,
        variants=variants,
        seed=seed,
        clean=clean,
        settings=settings,
        workers=workers,
        progress=progress,
    )
    return [load_pairs(path) for path in paths]


def pair_files(
    sources: Sequence[Utterance],
    cache: Path,
    *,
    variants: int,
    seed: int = 0,
    clean: bool = True,
    settings: PerturbSettings | None = None,
    workers: int = 2,
    progress: Progress = no_progress,
    label: str = "voices are perturbed",
) -> list[Path]:
    """Return the files of `cached_pairs`, for `load_pairs`; ``label`` is what progress shows."""
    settings = settings or PerturbSettings()
    recipe = (_VERSION, variants, seed, clean, asdict(settings))
    key = hashlib.sha256(repr(recipe).encode()).hexdigest()[:10]
    folder = cache / key
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (source, folder / f"{source.speaker}-{source.utt_id}.npz", variants, seed, settings, clean)
        for source in sources
    ]
    missing = [job for job in jobs if _missing(job)]
    for _ in progress(parallel_map(_store, missing, workers), len(missing), label):
        pass
    return [path for _, path, *_ in jobs]


def load_pairs(path: Path) -> PairSet:
    """Read what `cached_pairs` stored; raises `StoredArraysError` for a damaged file."""
    stored = read_arrays(path)
    return PairSet(
        str(stored["speaker"]),
        str(stored["name"]),
        stored["f0"],
        stored["target"],
        stored["inputs"],
    )


def store_pairs(pairs: PairSet, path: Path, made_of: str = "") -> None:
    """Store what `load_pairs` reads, whole or not at all."""
    arrays = {
        "speaker": np.array(pairs.speaker),
        "name": np.array(pairs.name),
        "f0": pairs.f0,
        "target": pairs.target,
        "inputs": pairs.inputs,
    }
    store_arrays(path, arrays, made_of)


def _made_of(source: Utterance, recipe: str) -> str:
    """Return a hash of the recording and the recipe: pairs of another one are not used."""
    with source.path.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()} {recipe}"


def _missing(job: tuple[Utterance, Path, int, int, PerturbSettings, bool]) -> bool:
    source, path = job[:2]
    return not path.exists() or stored_arrays(path, _made_of(source, path.parent.name)) is None


def _store(job: tuple[Utterance, Path, int, int, PerturbSettings, bool]) -> Path:
    source, path, variants, seed, settings, clean = job
    made_of = _made_of(source, path.parent.name)
    store_pairs(make_pairs(source, variants, seed, settings, clean), path, made_of)
    return path
