"""Difference between a float student and its INT8 form."""

from __future__ import annotations

from dataclasses import asdict

import torch
from torch import Tensor

from edge_vc.audio.int8_difference import Rendering, int8_difference
from edge_vc.compress.pipeline.stage import Metrics
from edge_vc.models.student.student import Student


@torch.no_grad()
def compare(student: Student, quantized: Student, audio: Tensor) -> Metrics:
    """Convert ``audio`` ``[1, 1, 1, T]`` with both and return the fields of `Int8Difference`.

    ``student`` is the float form, ``quantized`` its INT8 form.
    """
    config = student.config
    audio = audio[..., : audio.shape[-1] // config.hop * config.hop]
    truth, guess = _rendered(student, audio), _rendered(quantized, audio)
    return asdict(int8_difference(truth, guess, sample_rate=config.sample_rate, hop=config.hop))


def _rendered(student: Student, audio: Tensor) -> Rendering:
    prediction = student.predict(audio)
    return Rendering(student.synthesize(prediction).flatten(), prediction.features)
