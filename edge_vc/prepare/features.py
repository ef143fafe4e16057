"""Features of a prepared corpus: one ``.npz`` per utterance under ``features/``.

``features/`` mirrors the corpus: ``train/anna/take-0001.flac`` has its arrays in
``features/train/anna/take-0001.npz``. `edge_vc.audio.feature_set` lists the arrays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_vc.audio.feature_set import FeatureSettings, extract
from edge_vc.audio.io import read_audio
from edge_vc.data.corpus import Corpus
from edge_vc.data.stored_arrays import store_arrays, stored_arrays
from edge_vc.prepare.output import feature_path
from edge_vc.workers.ordered import parallel_map
from edge_vc.workers.progress import Progress, no_progress


@dataclass(frozen=True)
class _Job:
    audio: Path
    target: Path
    names: tuple[str, ...]
    settings: FeatureSettings


def write_features(
    root: Path,
    names: Sequence[str],
    settings: FeatureSettings | None = None,
    *,
    jobs: int = 1,
    progress: Progress = no_progress,
) -> int:
    """Write the named features of every utterance of the corpus ``root``; return how many.

    Files that are up to date are kept; each file is written completely or not at all. ``jobs``
    processes work in parallel. Raises `AudioError` for an unknown name and for a recording that
    cannot be read.
    """
    settings = settings or FeatureSettings()
    paths = [utterance.path for utterance in Corpus.open(root)]
    todo = [_Job(p, feature_path(root, p.relative_to(root)), tuple(names), settings) for p in paths]
    done = parallel_map(_write, todo, jobs)
    return sum(progress(done, len(todo), "features"))


def _write(job: _Job) -> int:
    """Write one file if it is not up to date; return 1."""
    made_of = _made_of(job)
    if stored_arrays(job.target, made_of) is None:
        samples = read_audio(job.audio, job.settings.sample_rate)
        arrays = extract(samples, job.names, job.settings)
        job.target.parent.mkdir(parents=True, exist_ok=True)
        store_arrays(job.target, arrays, made_of)
    return 1


def _made_of(job: _Job) -> str:
    with job.audio.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr((sorted(job.names), sorted(asdict(job.settings).items()))).encode())
    return digest.hexdigest()
