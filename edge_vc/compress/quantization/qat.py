"""Quantisation-aware training (QAT): the INT8 trunk learns to match the float trunk's output."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from edge_vc.compress.quantization.settings import QuantizeSettings
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.input_track import varied_inputs
from edge_vc.models.student.student import Prediction, Student
from edge_vc.nn.conditioned import Inputs
from edge_vc.nn.flat_step import TooShortError
from edge_vc.nn.quantized_conv import quantized_convs
from edge_vc.training.checkpoint import Checkpoint, Stateful
from edge_vc.workers.progress import Progress, no_progress

CHECKPOINT_STEPS = 20


@dataclass(frozen=True)
class Crops:
    """One batch of training segments."""

    mels: Tensor
    """The frontend's output ``[B, mels, 1, F]``, normalised as in the running stream."""
    recordings: tuple[int, ...]
    """Index of the recording of each segment."""
    first_frames: tuple[int, ...]
    """First frame of each segment in its recording."""
    inputs: Inputs = field(default_factory=dict)
    """Conditioning of each segment, ``[B, size, 1, 1]``, if the student has conditioning inputs."""


Loss = Callable[[Student, Crops], Tensor]
"""Loss to minimise, given the quantised student and a batch."""


def match(reference: Student) -> Loss:
    """Return a loss that trains a student to match the float ``reference``.

    Squared error of the trunk's output relative to its power, plus the error of the head's
    predictions: filters in nats, voicing.
    """
    reference = reference.eval()

    def loss(student: Student, crops: Crops) -> Tensor:
        with torch.no_grad():
            condition = reference.condition(crops.inputs, crops.mels)
            features = reference.features(crops.mels, condition)
            truth = reference.head.predict(features)
        guess = student.head.predict(student.features(crops.mels, condition))
        total: Tensor = (guess.features - features).square().mean() / features.square().mean()
        return total + _read_off(guess, truth)

    return loss


def _read_off(guess: Prediction, truth: Prediction) -> Tensor:
    """Return the distance of the head's predictions: filters in nats, voicing."""
    total = (guess.bands - truth.bands).square().mean()
    if guess.voicing is not None and truth.voicing is not None:
        total = total + (guess.voicing.sigmoid() - truth.voicing.sigmoid()).abs().mean()
    return total


def learning_rate(step: int, settings: QuantizeSettings) -> float:
    """Return the learning rate of ``step``: half a cosine from ``qat_learning_rate`` to 0."""
    cosine = math.cos(math.pi * step / settings.qat_steps)
    return settings.qat_learning_rate * (1 + cosine) / 2


def fine_tune(
    quantized: Student,
    speech: Sequence[Tensor],
    loss: Loss,
    settings: QuantizeSettings,
    *,
    folder: Path | None = None,
    progress: Progress = no_progress,
) -> list[float]:
    """Train ``quantized``'s trunk in place; return the loss of every step of this call.

    ``speech`` are recordings ``[1, 1, 1, T]``; segments are cut from their features, so that their
    channel mean is that of a stream. With a ``folder`` for its checkpoint, an interrupted training
    resumes. Raises `TooShortError` if no recording is as long as a segment, and `CheckpointError`
    for a checkpoint of another training.
    """
    config = quantized.config
    frames = round(settings.qat_segment_seconds * config.sample_rate / config.hop)
    features = _features(quantized, speech, frames)
    weights = [p for p in quantized.trunk.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(weights)
    parts: dict[str, Stateful] = {"trunk": quantized.trunk, "optimiser": optimiser}
    checkpoint = Checkpoint(folder, parts) if folder else None
    done, _ = checkpoint.restore() if checkpoint else (0, 0.0)
    losses = []
    steps = range(done, settings.qat_steps)
    for step in progress(steps, len(steps), "quantisation-aware training"):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, settings)
        crops = _crops(features, frames, settings, step)
        value = loss(quantized, replace(crops, inputs=_inputs(config, settings.qat_batch, step)))
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(weights, settings.qat_clip)
        optimiser.step()
        for conv in quantized_convs(quantized.trunk):
            conv.fit_weight_scale()
        losses.append(float(value.detach()))
        if checkpoint and (step + 1) % CHECKPOINT_STEPS == 0:
            checkpoint.save(step + 1, 0.0)
    return losses


def _inputs(config: StudentConfig, batch: int, step: int) -> Inputs:
    """Return different conditioning for every segment and step; empty without such inputs."""
    drawn = varied_inputs(config, batch, first=step * batch)
    return {name: torch.cat([each[name] for each in drawn]) for name in drawn[0]}


@torch.no_grad()
def _features(student: Student, speech: Sequence[Tensor], frames: int) -> list[Tensor]:
    hop = student.config.hop
    long_enough = [audio for audio in speech if audio.shape[-1] >= frames * hop]
    if not long_enough:
        raise TooShortError(f"training needs a recording of {frames} frames or more, got none")
    return [student.frontend(a[..., : a.shape[-1] // hop * hop]) for a in long_enough]


def _crops(features: list[Tensor], frames: int, settings: QuantizeSettings, step: int) -> Crops:
    """Return the batch of a step, which depends only on seed and step, for reproducible resumes."""
    generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)

    def draw(end: int) -> int:
        return int(torch.randint(end, (), generator=generator))

    recordings = tuple(draw(len(features)) for _ in range(settings.qat_batch))
    starts = tuple(draw(features[index].shape[-1] - frames + 1) for index in recordings)
    cuts = [
        features[index][..., start : start + frames]
        for index, start in zip(recordings, starts, strict=True)
    ]
    return Crops(torch.cat(cuts), recordings, starts)
