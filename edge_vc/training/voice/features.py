"""Training features of a voice: contents and loudness of every view, one file per recording."""

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

from edge_vc.augmentation.noise_bank import NoiseBank, read_folder
from edge_vc.data.pair_set import SAMPLE_RATE, PairSet
from edge_vc.data.pairs import load_pairs
from edge_vc.data.stored_arrays import read_arrays, store_arrays, stored_arrays, stored_hash
from edge_vc.models.content.encoder import ContentEncoder
from edge_vc.models.content.registry import open_contents
from edge_vc.models.voice.network import Loudness
from edge_vc.training.voice.settings import ViewSettings
from edge_vc.training.voice.views import make_view, view_places
from edge_vc.workers.ordered import parallel_map
from edge_vc.workers.progress import Progress, no_progress

_VERSION = 1
"""Increased whenever features are computed differently, so that an older cache is not used."""
_BABBLERS = 24


@dataclass(frozen=True)
class ViewFeatures:
    """The views of one recording of ``F`` frames, a whole number of content frames."""

    contents: NDArray[np.float16]
    """``[V, F / frames_per_content, width]``"""
    loudness: NDArray[np.float32]
    """``[V, F]`` nats, as computed by `Loudness`."""


@dataclass(frozen=True)
class FeatureJob:
    """One recording whose features are computed in a separate process."""

    pair: Path
    """File written by `pair_files`."""
    out: Path
    contents: str
    views: ViewSettings
    noises: tuple[Path, Path] | None
    """Folders of recorded noises and room impulse responses."""
    babblers: tuple[Path, ...]
    """Recordings from which babble is mixed."""


def cached_features(
    pairs: Sequence[Path],
    cache: Path,
    contents: str,
    views: ViewSettings,
    noises: Path | None = None,
    *,
    workers: int = 1,
    progress: Progress = no_progress,
) -> list[ViewFeatures]:
    """Compute the features of stored ``pairs`` under ``cache``; keep those already there.

    ``noises`` is a folder that contains ``noise`` and ``rir``. Raises `ContentError` if the
    encoder is missing.
    """
    recipe = (_VERSION, contents, asdict(views), noises is not None)
    key = hashlib.sha256(repr(recipe).encode()).hexdigest()[:10]
    folder = cache / f"{contents}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    beds = None if noises is None else (noises / "noise", noises / "rir")
    babblers = tuple(pairs[:: max(1, len(pairs) // _BABBLERS)][:_BABBLERS])
    jobs = [FeatureJob(path, folder / path.name, contents, views, beds, babblers) for path in pairs]
    missing = [job for job in jobs if stored_arrays(job.out, stored_hash(job.pair)) is None]
    if missing:
        open_contents(contents)  # fails here once, in one line, not in every process
    made = parallel_map(store_features, missing, workers)
    for _ in progress(made, len(missing), f"contents ({contents})"):
        pass
    return [load_features(job.out) for job in jobs]


def load_features(path: Path) -> ViewFeatures:
    """Read what `store_features` stored; raises `StoredArraysError` for a damaged file."""
    stored = read_arrays(path)
    return ViewFeatures(stored["contents"], stored["loudness"])


def store_features(job: FeatureJob) -> Path:
    """Compute the features of one recording and store them atomically."""
    if stored_arrays(job.out, stored_hash(job.pair)) is None:
        pair = load_pairs(job.pair)
        found = view_features(
            pair, _encoder(job.contents), job.views, _noises(job.noises, job.babblers)
        )
        arrays: dict[str, NDArray[Any]] = {}
        arrays |= {"contents": found.contents, "loudness": found.loudness}
        store_arrays(job.out, arrays, stored_hash(job.pair))
    return job.out


@torch.no_grad()
def view_features(
    pair: PairSet, encoder: ContentEncoder, settings: ViewSettings, noises: NoiseBank
) -> ViewFeatures:
    """Return the contents and the loudness of every view of ``pair``."""
    samples = SAMPLE_RATE // encoder.frame_rate
    whole = len(pair.source) // samples * samples
    listen = Loudness()
    contents, loudness = [], []
    for place in view_places(settings):
        audio = torch.from_numpy(make_view(pair, place, settings, noises)[:whole].copy())
        contents.append(encoder.encode(audio).numpy().astype(np.float16))
        loudness.append(listen(audio[None])[0].numpy())
    return ViewFeatures(np.stack(contents), np.stack(loudness))


@lru_cache(maxsize=1)
def _encoder(contents: str) -> ContentEncoder:
    """Open the encoder once per process."""
    return open_contents(contents)


@lru_cache(maxsize=1)
def _noises(folders: tuple[Path, Path] | None, babblers: tuple[Path, ...]) -> NoiseBank:
    """Return recorded and synthetic noises; babble is mixed from the target's own recordings."""
    voices = [load_pairs(path).source for path in babblers]
    recorded, rooms = ([], []) if folders is None else map(read_folder, folders)
    return NoiseBank.build(voices, recorded, rooms)
