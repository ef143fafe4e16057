"""What a student hears of its training recordings: its front end's features, made beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.augmentation.loud_event import loud_event
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.student import Student
from edge_vc.training.student.noise import NoisyCopies

LOUD_EVERY = 4
"""One recording of so many is heard after something loud."""
TOGETHER = 16
"""Recordings of about one length that are heard at once: the running mean walks frame by frame."""

Heard = tuple[NDArray[np.float16], ...]
"""Features ``[mels, F]`` of a recording, then those of its noisy copies."""


def hear(
    student: Student, examples: Mapping[int, LabelledAudio], noise: NoisyCopies | None
) -> dict[int, Heard]:
    """Return what ``student`` hears of recordings by number, and of their copies with ``noise``."""
    found: dict[int, Heard] = {}
    order = sorted(examples, key=lambda index: len(examples[index].source))
    for first in range(0, len(order), TOGETHER):
        some = order[first : first + TOGETHER]
        starts = [_before(examples[index], index, student) for index in some]
        versions = [_versions(examples[index], index, noise) for index in some]
        heard = [_features(student, starts, sounds) for sounds in zip(*versions, strict=True)]
        found |= zip(some, zip(*heard, strict=True), strict=True)
    return found


def _versions(example: LabelledAudio, index: int, noise: NoisyCopies | None) -> list[Samples]:
    source: Samples = example.source.astype(np.float32) / np.float32(32767)
    return [source, *(noise.of(source, index) if noise else [])]


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
) -> list[NDArray[np.float16]]:
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
