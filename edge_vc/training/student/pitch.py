"""Training of a student's pitch predictor alone: nothing is synthesised, so steps are cheap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from edge_vc.models.student.student import Student
from edge_vc.training.schedule import MovingAverage, learning_rate
from edge_vc.training.student.batches import DistillBatch, DistillBatches

PEAK_RATE = 3e-3


def train_pitch(
    student: Student,
    batches: DistillBatches,
    steps: int,
    *,
    batch: int = 24,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> float:
    """Fit ``student.pitch`` to the teacher's F0, in place; return the mean last error in nats.

    ``report`` receives the step and its loss. A student without a pitch predictor is unchanged.
    """
    if student.pitch is None:
        return 0.0
    average = MovingAverage(student.pitch, 0.995)
    optimiser = torch.optim.AdamW(student.pitch.parameters(), PEAK_RATE, weight_decay=1e-3)
    recent: list[float] = []
    for step in range(steps):
        rng = np.random.default_rng([seed, step])
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step / steps, PEAK_RATE)
        drawn = batches.draw(batch, rng, augmented=False)
        predicted = student.log_f0(drawn.features, student.condition(drawn.inputs, drawn.features))
        assert predicted is not None
        loss = pitch_error(predicted, drawn)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(student.pitch.parameters(), 1.0)
        optimiser.step()
        average.update(student.pitch)
        recent = [*recent[-99:], float(loss.detach())]
        if report is not None:
            report(step + 1, recent[-1])
    student.pitch.load_state_dict(average.network.state_dict())
    return float(np.mean(recent)) if recent else 0.0


def pitch_error(log_f0: Tensor, batch: DistillBatch, warm: int = 0) -> Tensor:
    """Return the mean absolute error of ``log_f0`` ``[B, 1, 1, F]`` over voiced frames, in nats.

    Voicing is the teacher's. The first ``warm`` frames do not count.
    """
    voiced = batch.voiced[..., warm:]
    error = (log_f0 - batch.f0.log())[..., warm:].abs()
    return (error * voiced).sum() / voiced.sum().clamp_min(1)
