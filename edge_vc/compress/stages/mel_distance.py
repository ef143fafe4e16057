"""Distance between the conversions of a student and its teacher on held-out speech."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from edge_vc.audio.mel import mel_matrix
from edge_vc.compress.pipeline.artifacts import as_tensor
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.student import Student
from edge_vc.training.losses import log_distance, magnitudes
from edge_vc.training.student.conditions import Condition, voice_conditions
from edge_vc.workers.progress import Progress

WINDOW = 1024
BANDS = 80
DB_PER_NAT = 20 / math.log(10)


@torch.no_grad()
def mel_distance_db(
    student: Student,
    examples: Sequence[LabelledAudio],
    progress: Progress,
    voices: Sequence[str] = (),
) -> float:
    """Return the mean absolute log-mel difference to the teacher in dB, over all frames.

    The student uses its own pitch, and its delay is compensated. ``voices`` gives the target voice
    of each example; otherwise the student's default voice is used.
    """
    student.eval()
    bank = mel_matrix(student.config.sample_rate, WINDOW, BANDS)
    bank = bank / bank.sum(1, keepdim=True)
    total = frames = 0.0
    told = voice_conditions(student.config, voices) if voices else [{}] * len(examples)
    pairs = list(zip(examples, told, strict=True))
    for example, condition in progress(pairs, len(pairs), "measuring"):
        audio, target = _aligned(student, example, condition)
        guess, truth = bank @ magnitudes(audio, WINDOW), bank @ magnitudes(target, WINDOW)
        total += float(log_distance(guess, truth)) * guess.shape[-1]
        frames += guess.shape[-1]
    return DB_PER_NAT * total / frames


def _aligned(
    student: Student, example: LabelledAudio, condition: Condition
) -> tuple[Tensor, Tensor]:
    """Convert an example; return the student's and the teacher's audio, ``[1, T]`` each."""
    example = example.at_hop(student.config.hop)
    inputs = {name: torch.from_numpy(value)[None, :, None] for name, value in condition.items()}
    audio = student(as_tensor(example.source), inputs)[0, 0]
    target = as_tensor(example.target)[0, 0]
    usable = target.shape[-1] - student.delay
    return audio[:, student.delay :], target[:, :usable]
