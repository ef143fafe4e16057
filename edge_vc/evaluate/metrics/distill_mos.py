"""Naturalness by Distill-MOS (Stahl, Gamper 2025), which predicts listeners' mean opinion score.

The package ``distillmos`` contains the weights, so nothing is downloaded. Its code is not run,
since it imports torchaudio. The network is `edge_vc.evaluate.metrics.distill_mos_network`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import torch

from edge_vc.audio.io import Samples, resample
from edge_vc.evaluate.metrics.distill_mos_network import CROP, DistillMosNetwork
from edge_vc.evaluate.metrics.metric import Metric
from edge_vc.evaluate.metrics.recording import Recording, ScoringContext
from edge_vc.settings.optional import EvaluationError
from edge_vc.settings.package import checked_weights, package_folder

PACKAGE = "distillmos"
INSTALL = "--no-deps distillmos==0.9.1"
"""Arguments of pip: the dependencies, including torchaudio, are for code that is not run."""
WEIGHTS = "weights/distill_mos_v7.pt"
SHA256 = "b18b3ac60227267cfb91e5d00ce22cc7b73716fd92f269484da1446e27031a40"
"""Hash of the weights of distillmos 0.9.1."""
RATE = 16_000
"""Sample rate that the network was trained at, in Hz."""
STEP = RATE
"""Largest distance of two crops in samples."""


class DistillMosModel:
    """Rates recordings; the same recording always gets the same score."""

    def __init__(self) -> None:
        """Open the weights; raises `EvaluationError` if they are missing or do not match."""
        self._network = DistillMosNetwork()
        found = torch.load(io.BytesIO(weights_bytes()), map_location="cpu", weights_only=True)
        self._network.load_published(found["model"])

    @torch.no_grad()
    def rate(self, samples: Samples, sample_rate: int) -> float | None:
        """Return the mean opinion score of ``[T]``, 1 to 5; None for audio without samples.

        Short audio is padded with silence; for longer audio the mean over `crops` is taken.
        """
        audio = samples if sample_rate == RATE else resample(samples, sample_rate, RATE)
        if not audio.size:
            return None
        # One at a time: memory does not grow with the recording.
        scores = [self._network(torch.from_numpy(crop)[None]).item() for crop in crops(audio)]
        return round(float(np.mean(scores)), 6)


def crops(audio: Samples) -> Iterator[Samples]:
    """Yield evenly spaced ``[CROP]`` of ``audio`` ``[T]``, each with a peak of 1.

    The first starts with the audio and the last ends with it; their distance is at most `STEP`.
    """
    padded = np.pad(audio.astype(np.float32), (0, max(0, CROP - audio.size)))
    room = padded.size - CROP
    for place in np.linspace(0, 1, -(-room // STEP) + 1):
        start = int(place * room)
        crop = padded[start : start + CROP]
        # 1e-8 as in the authors' code: silence stays silence.
        yield crop / (np.abs(crop).max() + np.float32(1e-8))


def weights_bytes() -> bytes:
    """Return the installed weights; raises `EvaluationError` unless they have the known hash."""
    missing = f"evaluation needs {PACKAGE}: pip install {INSTALL}"
    folder = package_folder(PACKAGE, missing, EvaluationError)
    what = "Distill-MOS 7 as in 0.9.1"
    return checked_weights([folder / WEIGHTS], SHA256, what, INSTALL, EvaluationError)


def distill_mos_model(context: ScoringContext) -> DistillMosModel:
    """Return the model shared by a process's recordings."""
    return DistillMosModel()


def compute(recording: Recording) -> float | None:
    """Return the mean opinion score of a recording, 1 to 5; None without samples."""
    model = recording.context.get(distill_mos_model)
    return model.rate(recording.samples, recording.sample_rate)


DISTILL_MOS = Metric(
    key="distill_mos",
    title="Distill-MOS",
    unit="MOS",
    compute=compute,
    digits=2,
    rank=3,
    needs=(PACKAGE,),
    install=INSTALL,
    description="Overall quality from 1 to 5 as predicted for listeners (Distill-MOS, Stahl and "
    "Gamper 2025).",
)
