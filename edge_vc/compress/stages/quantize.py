"""The fourth and fifth stages: the INT8 trunk, first calibrated, then fine-tuned."""

from __future__ import annotations

import copy
from typing import ClassVar

import torch
from torch import Tensor

from edge_vc.compress.pipeline.artifacts import STUDENT, LabelledSpeech
from edge_vc.compress.pipeline.run_folder import RunFolderError
from edge_vc.compress.pipeline.stage import Metrics, Stage, Workspace
from edge_vc.compress.pruning.magnitude import hold_zeros, release_zeros
from edge_vc.compress.quantization.error import compare
from edge_vc.compress.quantization.ptq import quantize
from edge_vc.compress.quantization.qat import Loss, fine_tune, match
from edge_vc.models.student.file import load_student, save_student
from edge_vc.models.student.student import Student
from edge_vc.nn.flat_step import TooShortError
from edge_vc.settings.field import RecipeError, Value
from edge_vc.training.checkpoint import CheckpointError

FINE_TUNING = "qat_"
"""Prefix of the recipe's keys that only the second of these stages reads."""


class CalibrateStage(Stage):
    """Post-training quantisation; passes the student on unchanged if it is disabled."""

    name: ClassVar[str] = "calibrate"
    needs: ClassVar[tuple[str, ...]] = ("data", "distill")
    sections: ClassVar[tuple[str, ...]] = ("quantize",)

    def resolved(self) -> dict[str, dict[str, Value]]:
        """Return the section without keys that only fine-tuning reads."""
        section = super().resolved()["quantize"]
        return {"quantize": {k: v for k, v in section.items() if not k.startswith(FINE_TUNING)}}

    def check_limits(self, metrics: Metrics) -> None:
        """Check the limits only if no fine-tuning follows that might still meet them."""
        if not self.recipe.quantize.qat_steps:
            super().check_limits(metrics)

    def run(self, work: Workspace) -> Metrics:
        """Calibrate on training recordings and measure on the hold-out."""
        section = self.recipe.quantize
        student = load_student(work.inputs["distill"] / STUDENT)
        if not section.enabled:
            save_student(student, work.output / STUDENT)
            return {}
        speech = LabelledSpeech.open(work.inputs["data"])
        rate = student.config.sample_rate
        try:
            quantized = quantize(
                student,
                speech.speech(speech.train, section.calibration_seconds, rate),
                bias_correction=section.bias_correction,
                progress=work.progress,
            )
        except TooShortError as error:
            given = section.calibration_seconds
            raise RecipeError(f"quantize.calibration_seconds = {given:g}: {error}") from error
        save_student(quantized, work.output / STUDENT)
        return compare(student, quantized, holdout_audio(speech, rate))


class QuantizeStage(Stage):
    """Quantisation-aware training; keeps the calibrated student if that is better."""

    name: ClassVar[str] = "quantize"
    needs: ClassVar[tuple[str, ...]] = ("data", "distill", "calibrate")
    sections: ClassVar[tuple[str, ...]] = ("quantize",)

    def loss(self, student: Student, work: Workspace) -> Loss:
        """Return the loss: the distance to the float ``student``'s predictions."""
        return match(student)

    def run(self, work: Workspace) -> Metrics:
        """Fine-tune, resuming from a checkpoint if there is one, and measure both students."""
        calibrated = load_student(work.inputs["calibrate"] / STUDENT)
        if not (self.recipe.quantize.enabled and self.recipe.quantize.qat_steps):
            save_student(calibrated, work.output / STUDENT)
            return {}
        student = load_student(work.inputs["distill"] / STUDENT)
        speech = LabelledSpeech.open(work.inputs["data"])
        audio = holdout_audio(speech, student.config.sample_rate)
        tuned = self._tuned(student, calibrated, speech, work)
        before, after = compare(student, calibrated, audio), compare(student, tuned, audio)
        better = after["trunk_snr_db"] >= before["trunk_snr_db"]
        save_student(tuned if better else calibrated, work.output / STUDENT)
        metrics = {f"{name}_before": value for name, value in before.items()}
        return metrics | (after if better else before) | {"fine_tuning_kept": float(better)}

    def _tuned(
        self, student: Student, calibrated: Student, speech: LabelledSpeech, work: Workspace
    ) -> Student:
        tuned = copy.deepcopy(calibrated)
        zeros_stay = self.recipe.prune.enabled and self.recipe.prune.method == "magnitude"
        if zeros_stay:
            hold_zeros(tuned.trunk)
        recordings = speech.speech(speech.train, 600.0, student.config.sample_rate)
        try:
            fine_tune(
                tuned,
                recordings,
                self.loss(student, work),
                self.recipe.quantize,
                folder=work.scratch,
                progress=work.progress,
            )
        except TooShortError as error:
            given = self.recipe.quantize.qat_segment_seconds
            raise RecipeError(f"quantize.qat_segment_seconds = {given:g}: {error}") from error
        except CheckpointError as error:
            raise RunFolderError(str(error)) from error
        if zeros_stay:
            release_zeros(tuned.trunk)
        return tuned.eval()


def holdout_audio(speech: LabelledSpeech, sample_rate: int) -> Tensor:
    """Return all hold-out speech, concatenated, ``[1, 1, 1, T]``."""
    return torch.cat(speech.speech(speech.holdout, 3_600.0, sample_rate), dim=-1)
