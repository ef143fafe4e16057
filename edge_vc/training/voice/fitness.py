"""Whether recordings are usable for training: silence, clipping, music under the voice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.clipping import clipped_share
from edge_vc.audio.level import level_fall_db
from edge_vc.augmentation.random_voice import FEWEST_VOICED
from edge_vc.data.pair_set import HOP, SAMPLE_RATE, PairSet

MOST_CLIPPED = 0.01
"""Share of clipped samples above which a recording is left out."""
LEAST_FALL_DB = 10.0
"""Least fall between loud and soft frames: speech has pauses, music and steady noise have none."""
USUAL_FALL_DB = 15.0
"""Fall below which music or noise is suspected: 98 of 100 clean recordings of six corpora fell by
17 dB or more, speech with music 6 dB below it by 9 to 14 dB."""
SUSPECTED_SHARE = 0.1
"""Share of recordings below `USUAL_FALL_DB` from which a warning is given."""
_NAMED = 3
_FRAMES_PER_SECOND = SAMPLE_RATE // HOP


@dataclass(frozen=True)
class Unfit:
    """Why a recording cannot be trained on."""

    kind: str
    """In one or a few words, for counting."""
    fact: str
    """What was found, with the figure."""
    way: str
    """What to do about it."""


def unfit(pair: PairSet) -> Unfit | None:
    """Return why a recording cannot be trained on; None where it can."""
    audio = pair.source.astype(np.float32) / np.float32(32767)
    voiced = int((pair.f0 > 0).sum())
    if voiced <= FEWEST_VOICED:
        fact = f"{voiced / _FRAMES_PER_SECOND:.2f} s of voiced speech: silent, or no speech"
        return Unfit("silent", fact, "check the microphone and record again")
    share = clipped_share(audio)
    if share > MOST_CLIPPED:
        fact = f"{share:.1%} of its samples are clipped"
        return Unfit("clipped", fact, "record again with less gain")
    fall = level_fall_db(audio, SAMPLE_RATE)
    if fall < LEAST_FALL_DB:
        fact = f"its level falls by only {fall:.0f} dB: music or noise under the voice"
        return Unfit("music or noise", fact, "record again without")
    return None


def name_unfit(found: Sequence[tuple[Path, Unfit]], say: Callable[[str], None]) -> None:
    """Report which recordings are left out and why: the first of each kind, and how many more."""
    for kind, count in Counter(reason.kind for _, reason in found).items():
        own = [(path, reason) for path, reason in found if reason.kind == kind]
        for path, reason in own[:_NAMED]:
            say(f"left out: {path}: {reason.fact}; {reason.way}")
        if count > _NAMED:
            say(f"left out: {count - _NAMED} more: {kind}")


def too_little(seconds: float, found: Sequence[Unfit], fewest: float) -> str:
    """Return the error for only ``seconds`` of usable speech, with what to do about it."""
    kinds = Counter(reason.kind for reason in found)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    left_out = f", {len(found)} recordings left out ({counts})" if found else ""
    ways = "; ".join(dict.fromkeys(reason.way for reason in found))
    return (
        f"{seconds:.0f} s of usable speech{left_out}; a voice needs {fewest:.0f} s at the least "
        f"and is good from ten minutes on: {ways or 'record more'}"
    )


def suspected_music(pairs: Sequence[PairSet]) -> str:
    """Return a warning if many recordings have no quiet pauses; empty if few or none do."""
    falls = [
        level_fall_db(p.source.astype(np.float32) / np.float32(32767), SAMPLE_RATE) for p in pairs
    ]
    low = [p.name for p, fall in zip(pairs, falls, strict=True) if fall < USUAL_FALL_DB]
    if not low or len(low) < SUSPECTED_SHARE * len(pairs):
        return ""
    names = ", ".join(low[:_NAMED]) + (", ..." if len(low) > _NAMED else "")
    return (
        f"{len(low)} of {len(pairs)} recordings have no quiet pauses ({names}): music or noise "
        "under the voice would be learnt; listen, and record them without it or remove them"
    )
