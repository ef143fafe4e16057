"""Input features of the training recordings and their augmented copies, extracted in advance."""

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
"""One recording in this many is preceded by a loud event."""
BATCH = 16
"""Recordings of similar length processed at once: the running mean is sequential."""

Features = NDArray[np.float16]
"""Log-mels of the front end, ``[mels, F]``."""


class InputAugmentation(Protocol):
    """Makes augmented copies of a recording: noisy, or with the voice perturbed."""

    share: float
    """Share of the segments whose input is one of these copies."""

    def copies(self, source: Samples, index: int) -> list[Samples]:
        """Return the copies of recording number ``index`` ``[T]``, always the same ones."""
        ...


@dataclass(frozen=True)
class InputFeatures:
    """Features of one recording."""

    plain: Features
    copies: tuple[tuple[Features, ...], ...] = ()
    """One tuple for each augmentation."""

    def draw(self, shares: Sequence[float], rng: np.random.Generator) -> Features:
        """Return the recording, or one of its copies with the probability of each kind's share."""
        chance = rng.random() if any(shares) else 1.0
        for share, some in zip(shares, self.copies, strict=True):
            if chance < share:
                return some[int(rng.integers(len(some)))]
            chance -= share
        return self.plain


def check_shares(augmentations: Sequence[InputAugmentation]) -> None:
    """Raise `ValueError` if the shares add up to more than 1."""
    total = sum(each.share for each in augmentations)
    if total > 1:
        raise ValueError(
            f"augmented copies are the input of {total:g} of the segments: must be at most 1"
        )


def extract_features(
    student: Student,
    examples: Mapping[int, LabelledAudio],
    augmentations: Sequence[InputAugmentation] = (),
    progress: Progress = no_progress,
    *,
    loud_every: int = LOUD_EVERY,
) -> dict[int, InputFeatures]:
    """Return the features of recordings, by number, and of their augmented copies.

    One recording in ``loud_every`` is preceded by a loud event; none if it is 0.
    """
    found: dict[int, InputFeatures] = {}
    order = sorted(examples, key=lambda index: len(examples[index].source))
    groups = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
    for some in progress(groups, len(groups), "input features"):
        starts = [
            _before(examples[index], index, student)
            if loud_every and (index + 1) % loud_every == 0
            else np.zeros(0, np.float32)
            for index in some
        ]
        sources = [examples[index].source.astype(np.float32) / np.float32(32767) for index in some]
        plain = _features(student, starts, sources)
        copies = [_of_copies(student, starts, sources, some, each) for each in augmentations]
        found |= {
            index: InputFeatures(plain[row], tuple(kind[row] for kind in copies))
            for row, index in enumerate(some)
        }
    return found


def _of_copies(
    student: Student,
    starts: Sequence[Samples],
    sources: Sequence[Samples],
    numbers: Sequence[int],
    augmentation: InputAugmentation,
) -> list[tuple[Features, ...]]:
    """Return the features of the augmented copies of each of ``sources``."""
    made = [
        augmentation.copies(source, index) for source, index in zip(sources, numbers, strict=True)
    ]
    features = [_features(student, starts, sounds) for sounds in zip(*made, strict=True)]
    return list(zip(*features, strict=True))


def _before(example: LabelledAudio, index: int, student: Student) -> Samples:
    """Return a loud event that precedes a recording, in whole hops ``[T]``."""
    source: Samples = (example.source / 32767).astype(np.float32)
    event = loud_event(source, student.config.sample_rate, np.random.default_rng(index))
    return event[len(event) % student.config.hop :]


@torch.no_grad()
def _features(
    student: Student, starts: Sequence[Samples], sounds: Sequence[Samples]
) -> list[Features]:
    """Return the features of ``sounds``, each preceded by its start, ``[mels, F]`` each."""
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
