"""Training and validation speakers: a split that is stable when recordings are added."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

TRAIN, VALIDATION = "train", "validation"


def split_speakers(
    speakers: Iterable[str],
    share: float,
    seed: int = 0,
    earlier: Mapping[str, str] | None = None,
    fixed: Iterable[str] = (),
) -> dict[str, str]:
    """Return `TRAIN` or `VALIDATION` for every speaker.

    A speaker's side depends on its name and ``seed`` alone, so no speaker changes sides when others
    are added. If all fall into training and there are two or more, the one nearest to the threshold
    is set aside. ``earlier`` decisions are kept; the ``fixed`` (targets) are always in training.
    """
    fixed, earlier = set(fixed), earlier or {}
    lots = {name: lot(name, seed) for name in speakers}
    sides = {
        name: TRAIN if name in fixed else earlier.get(name, VALIDATION if lot < share else TRAIN)
        for name, lot in lots.items()
    }
    free = [name for name in lots if name not in fixed]
    if share > 0 and len(free) > 1 and VALIDATION not in sides.values():
        undecided = [name for name in free if name not in earlier] or free
        sides[min(undecided, key=lots.__getitem__)] = VALIDATION
    return sides


def lot(name: str, seed: int) -> float:
    """Return a number in [0, 1) from a name and a seed."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
