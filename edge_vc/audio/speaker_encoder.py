"""Speaker embeddings of recordings by Resemblyzer's speaker encoder.

The encoder of Wan et al. 2018 (generalised end-to-end loss), trained on other speakers; the package
contains the weights, so nothing is downloaded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.settings.optional import EvaluationError, require
from edge_vc.settings.package import check_weights

Embedding = NDArray[np.float32]
"""Unit vector ``[256]`` with non-negative elements."""

SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
"""Hash of the weights in Resemblyzer 0.1.4."""

_SILENT_PEAK = 1e-4


class NoSpeechError(ValueError):
    """No recording contains speech, so there is no voice to measure; one-line message."""


class SpeakerEncoder:
    """Embeds recordings; the same recording always gives the same embedding."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # Deprecated imports inside resemblyzer and webrtcvad.
            warnings.simplefilter("ignore")
            resemblyzer = require("resemblyzer")
            weights = Path(resemblyzer.__file__).parent / "pretrained.pt"
            check_weights([weights], SHA256, "Resemblyzer", "resemblyzer==0.1.4", EvaluationError)
            self._encoder: Any = resemblyzer.VoiceEncoder("cpu", verbose=False)
        self._preprocess: Any = resemblyzer.preprocess_wav

    def embed(self, samples: Samples, sample_rate: int) -> Embedding | None:
        """Return the embedding of ``[T]``, or None for silence.

        Level and long pauses are normalised as in the encoder's training.
        """
        if not samples.size or float(np.abs(samples).max()) < _SILENT_PEAK:
            return None
        audio = np.clip(samples, -1.0, 1.0).astype(np.float32)
        speech = self._preprocess(audio, source_sr=sample_rate)
        if not speech.size:
            return None
        embedding: Embedding = self._encoder.embed_utterance(speech)
        return embedding

    def centroid(self, recordings: Iterable[Samples], sample_rate: int) -> Embedding:
        """Return the mean of the recordings' embeddings at unit length: the reference speaker.

        Raises `NoSpeechError`.
        """
        embeddings = [self.embed(samples, sample_rate) for samples in recordings]
        voices = [embedding for embedding in embeddings if embedding is not None]
        if not voices:
            raise NoSpeechError("no speech was found in the recordings; give recordings of speech")
        mean = np.mean(voices, axis=0)
        unit: Embedding = (mean / np.linalg.norm(mean)).astype(np.float32)
        return unit


def similarity(embedding: Embedding | None, centroid: Embedding) -> float:
    """Return the cosine similarity in [0, 1] of a recording and a speaker; 0.0 for silence."""
    return 0.0 if embedding is None else float(np.dot(embedding, centroid))
