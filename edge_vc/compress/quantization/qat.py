"""Quantisation-aware training: the rounded trunk learns to say what the float one says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from edge_vc.compress.pipeline.stage import Progress, no_progress
from edge_vc.models.student.student import Prediction, Student
from edge_vc.nn.flat_step import TooShortError
from edge_vc.nn.quantized_conv import quantized_convs

CHECKPOINT_STEPS = 20


@dataclass(frozen=True)
class QatSettings:
    """How long and how carefully; the steps are small, as the weights are nearly right."""

    steps: int = 200
    batch: int = 4
    segment_frames: int = 100
    learning_rate: float = 2e-5
    """At the start; falls to nothing along half a cosine."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    seed: int = 0


@dataclass(frozen=True)
class Crops:
    """One batch of training segments."""

    mels: Tensor
    """The frontend's output ``[B, mels, 1, F]``, normalised as in the running stream."""
    recordings: tuple[int, ...]
    """Which recording each segment is from."""
    first_frames: tuple[int, ...]
    """Where in it the segment starts."""


Loss = Callable[[Student, Crops], Tensor]
"""What is minimised, given the quantised student and a batch."""


def match(reference: Student) -> Loss:
    """Return the loss that makes a student predict what the float ``reference`` predicts.

    Squared error of the trunk's output relative to its power, plus what the head reads off it:
    filters in nats, voicing.
    """
    reference = reference.eval()

    def loss(student: Student, crops: Crops) -> Tensor:
        with torch.no_grad():
            features: Tensor = reference.trunk(crops.mels)
            truth = reference.head.predict(features)
        guess = student.head.predict(student.trunk(crops.mels))
        total: Tensor = (guess.features - features).square().mean() / features.square().mean()
        return total + _read_off(guess, truth)

    return loss


def _read_off(guess: Prediction, truth: Prediction) -> Tensor:
    """Distance of what the head hears: filters in nats, voicing."""
    total = (guess.bands - truth.bands).square().mean()
    if guess.voicing is not None and truth.voicing is not None:
        total = total + (guess.voicing.sigmoid() - truth.voicing.sigmoid()).abs().mean()
    return total


def fine_tune(
    quantized: Student,
    speech: Sequence[Tensor],
    loss: Loss,
    settings: QatSettings,
    *,
    checkpoint: Path | None = None,
    progress: Progress = no_progress,
) -> list[float]:
    """Train ``quantized``'s trunk in place; return the loss of every step made now.

    ``speech`` are recordings ``[1, 1, 1, T]``; segments are cut from their features, so that the
    channel mean in them is a stream's. With a ``checkpoint`` path a killed training goes on.
    """
    features = _features(quantized, speech, settings.segment_frames)
    weights = [p for p in quantized.trunk.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(weights, settings.learning_rate)
    done = _load(checkpoint, quantized, optimizer)
    losses = []
    steps = range(done, settings.steps)
    for step in progress(steps, len(steps), "quantisation-aware training"):
        for group in optimizer.param_groups:
            group["lr"] = (
                settings.learning_rate * (1 + math.cos(math.pi * step / settings.steps)) / 2
            )
        value = loss(quantized, _crops(features, settings, step))
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(weights, settings.clip)
        optimizer.step()
        for conv in quantized_convs(quantized.trunk):
            conv.fit_weight_scale()
        losses.append(float(value.detach()))
        if checkpoint and (step + 1) % CHECKPOINT_STEPS == 0:
            _save(checkpoint, quantized, optimizer, step + 1)
    return losses


@torch.no_grad()
def _features(student: Student, speech: Sequence[Tensor], frames: int) -> list[Tensor]:
    hop = student.config.hop
    long_enough = [audio for audio in speech if audio.shape[-1] >= frames * hop]
    if not long_enough:
        raise TooShortError(f"training needs a recording of {frames} frames or more, got none")
    return [student.frontend(a[..., : a.shape[-1] // hop * hop]) for a in long_enough]


def _crops(features: list[Tensor], settings: QatSettings, step: int) -> Crops:
    """The batch of a step: drawn from the seed and the step alone, so a resumed run repeats it."""
    generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)

    def draw(end: int) -> int:
        return int(torch.randint(end, (), generator=generator))

    recordings = tuple(draw(len(features)) for _ in range(settings.batch))
    frames = settings.segment_frames
    starts = tuple(draw(features[index].shape[-1] - frames + 1) for index in recordings)
    cuts = [
        features[index][..., start : start + frames]
        for index, start in zip(recordings, starts, strict=True)
    ]
    return Crops(torch.cat(cuts), recordings, starts)


def _save(path: Path, student: Student, optimizer: torch.optim.Adam, step: int) -> None:
    part = path.with_suffix(".part")
    state = {"step": step, "trunk": student.trunk.state_dict(), "adam": optimizer.state_dict()}
    torch.save(state, part)
    part.replace(path)


def _load(path: Path | None, student: Student, optimizer: torch.optim.Adam) -> int:
    """Take up a checkpoint if there is one; return the steps already made."""
    if path is None or not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    student.trunk.load_state_dict(state["trunk"])
    optimizer.load_state_dict(state["adam"])
    return int(state["step"])
