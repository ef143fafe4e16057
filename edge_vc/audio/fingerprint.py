"""Fingerprints that are robust to format, level and cut, and a search for duplicates with them.

Signs of how band energies change over time and frequency (Haitsma and Kalker 2002), one 32-bit
word every 16 ms. Two takes of a sentence differ, two copies of a take agree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples, resample

Fingerprint = NDArray[np.uint32]

HOP_SECONDS = 0.016
"""Interval between words."""

_RATE = 5000
_HOP = 80
_WINDOW = 2048
_BANDS = 33
_COMMON = 64
_TRIED = 16
_FARTHEST = 2**17


@dataclass(frozen=True)
class Match:
    """Two recordings that contain the same sound."""

    index: int
    """Index of the later one."""
    original: int
    """Index of the earlier one."""
    agreement: float
    """Share of equal bits where they overlap: 0.5 by chance, 1 for copies."""


def fingerprint(samples: Samples, sample_rate: int) -> Fingerprint:
    """Return the words ``[frames]`` of mono ``[T]``; none if it is shorter than a window, 0.4 s."""
    narrow = resample(samples, sample_rate, _RATE)
    if narrow.shape[0] < _WINDOW + _HOP:
        return np.zeros(0, np.uint32)
    frames = np.lib.stride_tricks.sliding_window_view(narrow, _WINDOW)[::_HOP]
    energy = np.concatenate([_band_energy(part) for part in np.array_split(frames, 8)])
    across = np.diff(energy, axis=1)
    bits = np.diff(across, axis=0) > 0
    words: Fingerprint = (bits << np.arange(_BANDS - 1)).sum(axis=1, dtype=np.uint64)
    return words.astype(np.uint32)


def find_matches(
    prints: Sequence[Fingerprint], agreement: float = 0.7, overlap: float = 0.8
) -> list[Match]:
    """Return, for every print that repeats an earlier one, the match with the first of them.

    Candidates share an exact word; they match if at least a share ``agreement`` of their bits is
    equal, aligned by that word, over ``overlap`` of the shorter one. Chains lead to the original.
    """
    best: dict[tuple[int, int], float] = defaultdict(float)
    for index, original, offset in _candidates(prints):
        equal = _agreement(prints[original], prints[index], offset, overlap)
        best[index, original] = max(best[index, original], equal)
    found: dict[int, Match] = {}
    for (index, original), equal in sorted(best.items()):
        if equal >= agreement and index not in found and original not in found:
            found[index] = Match(index, original, equal)
    return list(found.values())


def _band_energy(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return log energies ``[frames, bands]`` of logarithmic bands between 300 and 2000 Hz."""
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)))
    edges = np.geomspace(300, 2000, _BANDS + 1) * _WINDOW / _RATE
    bank = np.add.reduceat(power, edges.astype(int), axis=1)[:, :_BANDS]
    energy: NDArray[np.float64] = np.log(bank + 1e-9)
    return energy


def _candidates(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int, int]]:
    """Yield ``(later, earlier, offset)`` of prints sharing a word, best `_TRIED` per later one.

    A word is compared with its first occurrence only: copies of copies lead there too, and the
    work stays proportional to the number of words.
    """
    lengths = [words.shape[0] for words in prints]
    if not sum(lengths):
        return
    later, earlier = _repeats(np.concatenate(prints))
    ends = np.cumsum(lengths)
    begins = ends - lengths
    index, original = (np.searchsorted(ends, at, side="right") for at in (later, earlier))
    # Where the later print begins in the earlier one.
    offset = (earlier - begins[original]) - (later - begins[index])
    useful = (index != original) & (np.abs(offset) < _FARTHEST)
    # One combined number: sorting rows would take several times the memory.
    key = (index * len(prints) + original) * (2 * _FARTHEST) + offset + _FARTHEST
    keys, votes = np.unique(key[useful], return_counts=True)
    tried = Counter[int]()
    for key_of_pair in keys[np.argsort(-votes, kind="stable")]:
        pair, shifted = divmod(int(key_of_pair), 2 * _FARTHEST)
        one, two = divmod(pair, len(prints))
        if tried[one] < _TRIED:
            tried[one] += 1
            yield one, two, shifted - _FARTHEST


def _repeats(words: Fingerprint) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the positions of repeated words, and of their first occurrences."""
    order = np.argsort(words, kind="stable")
    words = words[order]
    starts = np.flatnonzero(np.concatenate([[True], words[1:] != words[:-1]]))
    counts = np.diff(starts, append=words.shape[0])
    # A word shared by many is silence or hum and identifies nothing.
    telling = (counts > 1) & (counts <= _COMMON)
    starts, counts = starts[telling], counts[telling] - 1
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    return order[np.repeat(starts, counts) + steps], order[np.repeat(starts, counts)]


def _agreement(one: Fingerprint, two: Fingerprint, offset: int, overlap: float) -> float:
    """Return the share of equal bits, ``two[n]`` with ``one[n + offset]``; 0 if too short."""
    start, stop = max(0, -offset), min(two.shape[0], one.shape[0] - offset)
    if stop - start < overlap * min(one.shape[0], two.shape[0]):
        return 0.0
    different = np.bitwise_count(two[start:stop] ^ one[start + offset : stop + offset])
    return 1.0 - float(different.mean()) / (_BANDS - 1)
