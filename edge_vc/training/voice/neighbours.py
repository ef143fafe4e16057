"""For each content frame, the target's most similar content frames in other recordings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edge_vc.data.stored_arrays import store_arrays, stored_arrays
from edge_vc.workers.progress import Progress, no_progress

Neighbours = NDArray[np.int32]
_QUERIES = 512
_COARSE = 64
"""Principal components used to preselect candidates, at an eighth of the cost of whole frames."""
_CANDIDATES = 16
"""Candidates, from which the nearest are chosen by comparing whole frames."""


class FrameBank:
    """Every n-th content frame of the unmodified recordings, for searching."""

    def __init__(self, contents: Sequence[NDArray[np.float16]], most: int) -> None:
        """Take at most ``most`` frames of ``contents``, each ``[F, W]``, evenly spaced."""
        lengths = np.array([len(part) for part in contents])
        stride = max(1, -(-int(lengths.sum()) // most))
        self.frames = np.concatenate(contents)[::stride]
        """``[N, W]``"""
        owners = np.repeat(np.arange(len(contents)), lengths)
        self.owners = owners[::stride]
        """Index of each frame's recording, ``[N]``, ascending."""
        floats = torch.from_numpy(self.frames.astype(np.float32))
        self.mean = floats.mean(0)
        """``[W]``"""
        self._keys = torch.nn.functional.normalize(floats - self.mean, dim=1)
        _, vectors = torch.linalg.eigh(self._keys.T @ self._keys)
        self._axes = vectors[:, -_COARSE:]
        self._coarse = self._keys @ self._axes

    @torch.no_grad()
    def search(self, contents: NDArray[np.float16], owner: int, count: int) -> Neighbours:
        """Return the indices ``[F, count]`` of the nearest frames that are not from ``owner``.

        Similarity is the cosine after subtracting the mean; a few principal components preselect
        candidates.
        """
        low, high = np.searchsorted(self.owners, (owner, owner + 1))
        found = []
        for start in range(0, len(contents), _QUERIES):
            part = torch.from_numpy(contents[start : start + _QUERIES].astype(np.float32))
            asked = torch.nn.functional.normalize(part - self.mean, dim=1)
            alike = (asked @ self._axes) @ self._coarse.T
            alike[:, low:high] = -2.0
            near = alike.topk(min(max(_CANDIDATES, count), len(self._keys)), 1).indices
            exact = (self._keys[near] @ asked[..., None])[..., 0]
            exact[(near >= low) & (near < high)] = -2.0
            best = exact.topk(count, 1).indices
            found.append(near.gather(1, best).to(torch.int32))
        return torch.cat(found).numpy()


def cached_neighbours(
    bank: FrameBank,
    views: Sequence[NDArray[np.float16]],
    count: int,
    cache: Path,
    progress: Progress = no_progress,
) -> list[Neighbours]:
    """Search the bank for every view of every recording, ``[V, F, W]``, cached in one file.

    Returns ``[V, F, count]`` for each recording. The cached file is valid for these exact frames
    only.
    """
    digest = hashlib.sha256(f"{count} {len(views)}".encode())
    digest.update(bank.frames.tobytes())
    path = cache / f"neighbours-{digest.hexdigest()[:10]}.npz"
    made_of = digest.hexdigest()
    stored = stored_arrays(path, made_of)
    if stored is None:
        found = [
            np.stack([bank.search(view, owner, count) for view in recording])
            for owner, recording in enumerate(progress(views, len(views), "neighbours"))
        ]
        stored = {"flat": np.concatenate(found, 1)}
        store_arrays(path, stored, made_of)
    flat = stored["flat"]
    ends = np.cumsum([view.shape[1] for view in views])
    return np.split(flat, ends[:-1], axis=1)
