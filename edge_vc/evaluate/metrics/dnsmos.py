"""Naturalness by DNSMOS, a network that predicts the mean opinion score of listeners.

DNSMOS P.835 (Reddy, Gopal, Cutler 2022) rates speech, background and both together from 1 to 5.
The package ``speechmos`` contains its weights, so nothing is downloaded.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_vc.audio.io import Samples, resample
from edge_vc.evaluate.metrics.metric import Metric
from edge_vc.evaluate.metrics.recording import Recording, ScoringContext
from edge_vc.settings.optional import EvaluationError, require
from edge_vc.settings.package import check_weights
from edge_vc_runtime.telemetry import disable_telemetry

RATE = 16000
"""Sample rate that the network was trained at, in Hz."""
WINDOW = int(9.01 * RATE)
"""Samples of one input of the network."""
MODELS = ("sig_bak_ovr.onnx", "model_v8.onnx")
SHA256 = "40e47248357a0e0d92b7ca266f4f87d4594938ca39f32ffe7a76e2e53fdd8f14"
"""Hash of the concatenated `MODELS` in speechmos 0.0.1.1."""


@dataclass(frozen=True)
class DnsmosScore:
    """Mean opinion scores, 1 (bad) to 5 (excellent)."""

    overall: float
    signal: float
    """Quality of the speech itself."""
    background: float
    """Quality of the background: 5 is no noise at all."""


class DnsmosModel:
    """Rates recordings; the same recording always gets the same scores."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # Deprecated imports inside the package and librosa.
            warnings.simplefilter("ignore")
            disable_telemetry()  # it loads ONNX Runtime
            dnsmos = require("speechmos.dnsmos")
            runtime = require("onnxruntime")
        models = Path(dnsmos.__file__).parent / "dnsmos_models"
        paths = [models / name for name in MODELS]
        check_weights(paths, SHA256, "DNSMOS", "speechmos==0.0.1.1", EvaluationError)
        self._rate: Any = dnsmos.DNSMOS(*map(str, paths))
        # One thread: processes run in parallel, and the order of sums is fixed.
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._rate.onnx_sess, self._rate.p808_onnx_sess = (
            runtime.InferenceSession(str(path), options) for path in paths
        )

    def rate(self, samples: Samples, sample_rate: int) -> DnsmosScore | None:
        """Rate ``[T]``; None for audio without samples.

        Short audio is repeated until it fills one window. The package repeats it until it fills up
        to seven windows, for the same result (0.002 difference on average) at seven times the cost.
        """
        audio = samples if sample_rate == RATE else resample(samples, sample_rate, RATE)
        if not audio.size:
            return None
        filled = np.resize(audio, WINDOW) if audio.size < WINDOW else audio
        scores = self._rate(np.clip(filled, -1.0, 1.0).astype(np.float32), RATE, False)
        return DnsmosScore(
            *(round(float(scores[key]), 6) for key in ("ovrl_mos", "sig_mos", "bak_mos"))
        )


def dnsmos_model(context: ScoringContext) -> DnsmosModel:
    """Return the model shared by a process's recordings."""
    return DnsmosModel()


def dnsmos_score(recording: Recording) -> DnsmosScore | None:
    """Rate a recording; None for audio without samples."""
    return recording.context.get(dnsmos_model).rate(recording.samples, recording.sample_rate)


def overall(recording: Recording) -> float | None:
    """Return the mean opinion score of speech and background together, 1 to 5."""
    found = recording.get(dnsmos_score)
    return None if found is None else found.overall


def signal(recording: Recording) -> float | None:
    """Return the mean opinion score of the speech itself, 1 to 5."""
    found = recording.get(dnsmos_score)
    return None if found is None else found.signal


def background(recording: Recording) -> float | None:
    """Return the mean opinion score of the background, 1 to 5."""
    found = recording.get(dnsmos_score)
    return None if found is None else found.background


DNSMOS = (
    Metric(
        key="dnsmos",
        title="DNSMOS",
        unit="MOS",
        compute=overall,
        digits=2,
        rank=3,
        description="Overall quality from 1 to 5 as predicted for listeners (DNSMOS P.835 OVRL, "
        "Reddy et al. 2022).",
    ),
    Metric(
        key="dnsmos_signal",
        title="SIG",
        unit="MOS",
        compute=signal,
        digits=2,
        rank=10,
        description="DNSMOS P.835 SIG: quality of the speech itself.",
    ),
    Metric(
        key="dnsmos_background",
        title="BAK",
        unit="MOS",
        compute=background,
        digits=2,
        rank=11,
        description="DNSMOS P.835 BAK: quality of the background; 5 is no noise at all.",
    ),
)
