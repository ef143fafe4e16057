"""Long recordings cut into pieces at pauses: training draws crops and holds out whole pieces."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from edge_vc.data.cut_recordings import LONGEST as LONGEST
from edge_vc.data.cut_recordings import quiet_places
from edge_vc.data.pair_set import HOP, PairSet
from edge_vc.data.pairs import store_pairs


def stored_pieces(pair: PairSet, path: Path) -> list[tuple[Path, PairSet]]:
    """Cut a recording into pieces, each stored in its own file next to ``path``, the recording's.

    A recording of `LONGEST` frames or fewer is returned unchanged.
    """
    places = cuts(pair)
    if not places:
        return [(path, pair)]
    found = []
    edges = [0, *places, len(pair.f0)]
    for number, (low, high) in enumerate(pairwise(edges)):
        piece = replace(
            pair,
            name=f"{pair.name}-{number:04d}",
            f0=pair.f0[low:high],
            target=pair.target[low * HOP : high * HOP],
            source=pair.source[low * HOP : high * HOP],
        )
        place = path.with_name(f"{path.stem}-{number:04d}.npz")
        if not place.exists():
            store_pairs(piece, place)
        found.append((place, piece))
    return found


def cuts(pair: PairSet) -> list[int]:
    """Return the frames to cut before, each at the quietest place within range."""
    power = np.square(pair.target.astype(np.float32)).reshape(len(pair.f0), HOP).mean(1)
    return quiet_places(power)
