"""Training pairs made from one speaker's sentences: perturbed speech in, the recording out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edge_vc.audio.denoise import denoise
from edge_vc.audio.io import read_audio
from edge_vc.audio.level import normalize_level
from edge_vc.audio.mel import LogMel, channel_mean
from edge_vc.data.corpus import Utterance
from edge_vc.data.perturb import FRAME_MS, PerturbSettings, analyse, perturb

HOP = 160
SAMPLE_RATE = 16_000
TARGET_DB = -23.0
"""Level of the active speech of inputs and targets, dBFS."""

_VERSION = 2
"""Goes up when pairs come out otherwise, so that a cache of older ones is not used."""


@dataclass(frozen=True)
class PairSet:
    """One recording as target and its variants as inputs; frames are `HOP` samples."""

    speaker: str
    audio: NDArray[np.int16]
    """The target, levelled and denoised, ``[F * HOP]``."""
    f0: NDArray[np.float32]
    """Its F0 in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    log_mels: NDArray[np.float16]
    """The untouched recording first, then its perturbations, channel mean removed,
    ``[V, bands, F]``."""


def hop_f0(f0: NDArray[np.float64], frames: int) -> NDArray[np.float32]:
    """WORLD's contour at the middle of each hop: every other 5 ms frame from the second on."""
    stride = round(HOP / SAMPLE_RATE * 1000 / FRAME_MS)
    picked = f0[stride // 2 :: stride][:frames]
    return np.pad(picked, (0, frames - len(picked))).astype(np.float32)


def normalised_log_mel(audio: NDArray[np.float32], frames: int) -> NDArray[np.float16]:
    """Log-mel of ``audio`` less its channel mean, ``[bands, frames]``."""
    padded = np.zeros(frames * HOP, np.float32)
    n = min(len(audio), len(padded))
    padded[:n] = audio[:n]
    log_mel = LogMel()(torch.from_numpy(padded)[None])[0]
    normalised: NDArray[np.float16] = (log_mel - channel_mean(log_mel)).numpy().astype(np.float16)
    return normalised


def make_pairs(
    source: Utterance, variants: int, seed: int, settings: PerturbSettings, clean: bool
) -> PairSet:
    """Analyse one recording and perturb it ``variants`` times."""
    torch.set_num_threads(1)
    recording = read_audio(source.path, SAMPLE_RATE)
    raw = normalize_level(recording, SAMPLE_RATE, TARGET_DB)
    target = normalize_level(denoise(raw, SAMPLE_RATE), SAMPLE_RATE, TARGET_DB) if clean else raw
    frames = len(raw) // HOP
    digest = hashlib.sha256(f"{seed}:{source.utt_id}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    analysis = analyse(raw.astype(np.float64), SAMPLE_RATE)
    log_mels = [normalised_log_mel(raw, frames)]
    for _ in range(variants):
        voice, _ = perturb(analysis, rng, settings)
        log_mels.append(normalised_log_mel(voice.astype(np.float32), frames))
    return PairSet(
        source.speaker,
        np.round(target[: frames * HOP] * 32767).astype(np.int16),
        hop_f0(analysis.f0, frames),
        np.stack(log_mels),
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
    progress: Callable[[Iterable[Path], int], Iterable[Path]] | None = None,
) -> list[PairSet]:
    """Make the pairs of ``sources`` under ``cache``, in parallel; what is there is kept.

    ``progress`` wraps the iterator of finished files, given their number.
    """
    settings = settings or PerturbSettings()
    recipe = (_VERSION, variants, seed, clean, asdict(settings))
    key = hashlib.sha256(repr(recipe).encode()).hexdigest()[:10]
    folder = cache / key
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (source, folder / f"{source.speaker}-{source.utt_id}.npz", variants, seed, settings, clean)
        for source in sources
    ]
    with ProcessPoolExecutor(workers) as pool:
        done: Iterable[Path] = pool.map(_store, jobs, chunksize=4)
        paths = list(progress(done, len(jobs)) if progress else done)
    return [load_pairs(path) for path in paths]


def load_pairs(path: Path) -> PairSet:
    """Read what `cached_pairs` stored."""
    with np.load(path, allow_pickle=False) as stored:
        return PairSet(str(stored["speaker"]), stored["audio"], stored["f0"], stored["log_mels"])


def _store(job: tuple[Utterance, Path, int, int, PerturbSettings, bool]) -> Path:
    source, path, variants, seed, settings, clean = job
    if not path.exists():
        pairs = make_pairs(source, variants, seed, settings, clean)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file,
                speaker=np.array(pairs.speaker),
                audio=pairs.audio,
                f0=pairs.f0,
                log_mels=pairs.log_mels,
            )
        part.replace(path)
    return path
