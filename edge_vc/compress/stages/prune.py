"""The second stage: prune the student to the size that the target allows."""

from __future__ import annotations

from functools import cached_property, partial
from typing import ClassVar

import numpy as np
from torch import Tensor
from torch.nn import functional

from edge_vc.compress.pipeline.artifacts import STUDENT, LabelledSpeech
from edge_vc.compress.pipeline.stage import Metrics, Stage, Workspace
from edge_vc.compress.pruning.cost import cost_of
from edge_vc.compress.pruning.magnitude import sparsity_of, zero_smallest
from edge_vc.compress.pruning.structured import prune_student
from edge_vc.compress.stages.initial_student import initial_student, student_files
from edge_vc.compress.stages.mel_distance import mel_distance_db
from edge_vc.models.student.file import save_student
from edge_vc.models.student.student import Student
from edge_vc.models.weights_file import weights_hash
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.student.batches import DistillBatch, DistillBatches
from edge_vc.training.student.conditions import conditions_for

TAYLOR_SEGMENTS = 12
TAYLOR_FRAMES = 128


class PruneStage(Stage):
    """Removes channels of the recipe's student, or zeroes weights."""

    name: ClassVar[str] = "prune"
    needs: ClassVar[tuple[str, ...]] = ("data",)
    sections: ClassVar[tuple[str, ...]] = ("student", "prune", "target")

    @cached_property
    def _external(self) -> dict[str, str]:
        names = {"weights": "student file", "average_with": "second student file"}
        files = student_files(self.recipe.student)
        return {names[key]: weights_hash(path) for key, path in files.items()}

    def external_inputs(self) -> dict[str, str]:
        """Return hashes of the student's files."""
        return self._external

    def run(self, work: Workspace) -> Metrics:
        """Prune and measure; there is no training here."""
        speech = LabelledSpeech.open(work.inputs["data"])
        student = initial_student(self.recipe.student)
        before = cost_of(student)
        pruned = self._pruned(student, speech)
        save_student(pruned, work.output / STUDENT)
        after = cost_of(pruned)
        return {
            "parameters_before": before.parameters,
            "parameters": after.parameters,
            "int8_weight_kb": after.trunk_weights / 1e3,
            "mmacs_before": before.mmacs,
            "mmacs": after.mmacs,
            "latency_ms": after.latency_ms,
            "sparsity": sparsity_of(pruned.trunk),
            "mel_db": mel_distance_db(
                pruned,
                speech.load(speech.holdout),
                work.progress,
                speech.voices_of(speech.holdout),
            ),
        }

    def _pruned(self, student: Student, speech: LabelledSpeech) -> Student:
        section = self.recipe.prune
        if not section.enabled:
            return student
        if section.method == "magnitude":
            zero_smallest(student.trunk, section.sparsity)
            return student
        loss = None
        if section.importance == "taylor":
            batch = self._batch(student, speech)
            loss = partial(distance_to_teacher, batch=batch)
        target = self.recipe.target
        return prune_student(student, target, round_to=section.round_to, loss=loss)

    def _batch(self, student: Student, speech: LabelledSpeech) -> DistillBatch:
        rng = np.random.default_rng(self.recipe.student.seed)
        names = rng.permutation(np.array(speech.train))[: 4 * TAYLOR_SEGMENTS].tolist()
        examples = speech.load(names)
        shortest = min(len(example.f0) for example in examples) - 1
        frames = min(TAYLOR_FRAMES, max(shortest, 32))
        told = conditions_for(student.config, examples, voices=speech.voices_of(names))
        batches = DistillBatches(student, examples, frames, conditions=told)
        return batches.draw(TAYLOR_SEGMENTS, rng)


def distance_to_teacher(student: Student, batch: DistillBatch) -> Tensor:
    """Return the loss whose gradient ranks channels: spectral distance and voicing."""
    condition = student.condition(batch.inputs, batch.features)
    features = student.features(batch.features, condition)
    prediction = student.read_head(features, condition, batch.inputs)
    driven = prediction.voicing is not None
    audio = student.synthesize(
        prediction, batch.f0 if driven else None, batch.voiced if driven else None
    )
    total: Tensor = SpectralLoss(student.config.sample_rate)(audio[:, 0, 0], batch.audio)
    if prediction.voicing is not None:
        total = total + functional.binary_cross_entropy_with_logits(
            prediction.voicing, batch.voiced
        )
    return total
