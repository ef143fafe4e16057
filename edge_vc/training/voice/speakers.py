"""Whether recordings are of one voice, by speaker embeddings if the encoder is installed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_vc.audio.speaker_encoder import Embedding, SpeakerEncoder
from edge_vc.data.pair_set import SAMPLE_RATE, PairSet
from edge_vc.settings.optional import EvaluationError

LISTENED = 16
"""Recordings that are examined, spread over all."""
APART = 0.8
"""Cosine of two groups' means below which they count as two voices. For one voice it was 0.85 to
0.94 (three speakers), for two of the same sex 0.56 to 0.74."""
SMALLEST = 2
"""Smallest group: a single recording may be an outlier."""


def two_voices(pairs: Sequence[PairSet]) -> tuple[str, str] | None:
    """Return the names of two recordings that sound like two speakers, None if all are alike.

    Also None if the extra ``evaluate`` is not installed or there are fewer than four recordings.
    """
    chosen = pairs[:: max(1, len(pairs) // LISTENED)]
    if len(chosen) < 2 * SMALLEST:
        return None
    try:
        encoder = SpeakerEncoder()
    except EvaluationError:
        return None
    heard = [
        (pair.name, embedding)
        for pair in chosen
        if (embedding := encoder.embed(_samples(pair), SAMPLE_RATE)) is not None
    ]
    if len(heard) < 2 * SMALLEST:
        return None
    names, vectors = zip(*heard, strict=True)
    groups = split(np.stack(vectors))
    if groups is None:
        return None
    return names[groups[0]], names[groups[1]]


def split(vectors: Embedding) -> tuple[int, int] | None:
    """Return one row of each of two groups of unit ``vectors`` ``[N, D]`` that are far apart.

    The two least similar rows seed a group each; two rounds of reassignment follow.
    """
    alike = vectors @ vectors.T
    first, second = np.unravel_index(int(alike.argmin()), alike.shape)
    centres = vectors[[first, second]]
    for _ in range(2):
        owner = (vectors @ centres.T).argmax(1)
        if min(np.bincount(owner, minlength=2)) < SMALLEST:
            return None
        means = np.stack([vectors[owner == group].mean(0) for group in (0, 1)])
        centres = means / np.linalg.norm(means, axis=1, keepdims=True)
    if float(centres[0] @ centres[1]) >= APART:
        return None
    return int(np.flatnonzero(owner == 0)[0]), int(np.flatnonzero(owner == 1)[0])


def _samples(pair: PairSet) -> Embedding:
    return pair.target.astype(np.float32) / np.float32(32767)
