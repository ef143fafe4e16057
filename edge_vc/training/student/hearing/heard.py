"""What a student hears of its training recordings: its front end's features, made beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.augmentation.loud_event import loud_event
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.student import Student
from edge_vc.workers.progress import Progress, no_progress

LOUD_EVERY = 4
"""One recording of so many is heard after something loud."""
TOGETHER = 16
"""Recordings of about one length that are heard at once: the running mean walks frame by frame."""

Features = NDArray[np.float16]
"""What a front end makes of a recording, ``[mels, F]``."""


class Copies(Protocol):
    """Makes what may be heard instead of a recording: noisy, or in another voice."""

    share: float
    """Of the segments that are heard in one of them."""

    def of(self, source: Samples, index: int) -> list[Samples]:
        """Return the copies of recording number ``index`` ``[T]``, always the same."""
        ...


@dataclass(frozen=True)
class Heard:
    """What is heard of one recording."""

    plain: Features
    copies: tuple[tuple[Features, ...], ...] = ()
    """Of each kind of copies."""

    def draw(self, shares: Sequence[float], rng: np.random.Generator) -> Features:
        """Return the recording, or with the chance of each kind's share one of its copies."""
        chance = rng.random() if any(shares) else 1.0
        for share, some in zip(shares, self.copies, strict=True):
            if chance < share:
                return some[int(rng.integers(len(some)))]
            chance -= share
        return self.plain


def check_shares(kinds: Sequence[Copies]) -> None:
    """Raise `ValueError` where more than all segments would be heard in copies."""
    total = sum(kind.share for kind in kinds)
    if total > 1:
        raise ValueError(f"copies are heard in {total:g} of the segments: must be at most 1")


def hear(
    student: Student,
    examples: Mapping[int, LabelledAudio],
    kinds: Sequence[Copies] = (),
    progress: Progress = no_progress,
) -> dict[int, Heard]:
    """Return what ``student`` hears of recordings by number, and of ``kinds`` of their copies."""
    found: dict[int, Heard] = {}
    order = sorted(examples, key=lambda index: len(examples[index].source))
    groups = [order[first : first + TOGETHER] for first in range(0, len(order), TOGETHER)]
    for some in progress(groups, len(groups), "what is heard"):
        starts = [_before(examples[index], index, student) for index in some]
        sources = [examples[index].source.astype(np.float32) / np.float32(32767) for index in some]
        plain = _features(student, starts, sources)
        copies = [_of_kind(student, starts, sources, some, kind) for kind in kinds]
        found |= {
            index: Heard(plain[row], tuple(kind[row] for kind in copies))
            for row, index in enumerate(some)
        }
    return found


def _of_kind(
    student: Student,
    starts: Sequence[Samples],
    sources: Sequence[Samples],
    numbers: Sequence[int],
    kind: Copies,
) -> list[tuple[Features, ...]]:
    """Return what is heard of the copies of one kind, of each of ``sources``."""
    made = [kind.of(source, index) for source, index in zip(sources, numbers, strict=True)]
    heard = [_features(student, starts, sounds) for sounds in zip(*made, strict=True)]
    return list(zip(*heard, strict=True))


def _before(example: LabelledAudio, index: int, student: Student) -> Samples:
    """Return what is heard before a recording: mostly nothing; whole hops ``[T]``."""
    if (index + 1) % LOUD_EVERY:
        return np.zeros(0, np.float32)
    source: Samples = (example.source / 32767).astype(np.float32)
    event = loud_event(source, student.config.sample_rate, np.random.default_rng(index))
    return event[len(event) % student.config.hop :]


@torch.no_grad()
def _features(
    student: Student, starts: Sequence[Samples], sounds: Sequence[Samples]
) -> list[Features]:
    """Return the features of ``sounds``, each heard after its start, ``[mels, F]`` each."""
    hop = student.config.hop
    longest = max(len(a) + len(b) for a, b in zip(starts, sounds, strict=True))
    audio = np.zeros((len(sounds), 1, 1, -(-longest // hop) * hop), np.float32)
    for row, start, sound in zip(audio[:, 0, 0], starts, sounds, strict=True):
        row[: len(start)] = start
        row[len(start) : len(start) + len(sound)] = sound
    features = student.frontend(torch.from_numpy(audio))[:, :, 0].numpy().astype(np.float16)
    return [
        row[:, len(start) // hop : (len(start) + len(sound)) // hop].copy()
        for row, start, sound in zip(features, starts, sounds, strict=True)
    ]
