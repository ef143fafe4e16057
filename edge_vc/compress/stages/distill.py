"""The third stage: the pruned student learns from the teacher again."""

from __future__ import annotations

from typing import ClassVar

from edge_vc.augmentation.feature_augment import Disturbance
from edge_vc.compress.pipeline.artifacts import STUDENT, LabelledSpeech
from edge_vc.compress.pipeline.stage import Metrics, PushedProgress, Stage, Workspace
from edge_vc.compress.pruning.magnitude import hold_zeros, release_zeros
from edge_vc.compress.stages.mel_distance import mel_distance_db
from edge_vc.compress.stages.training_log import keep_log
from edge_vc.models.student.file import load_student, save_student
from edge_vc.models.student.student import Student
from edge_vc.settings.field import RecipeError
from edge_vc.training.schedule import Budget
from edge_vc.training.student.distiller import Distillation, DistillSettings


class DistillStage(Stage):
    """Runs the distillation loop; its checkpoints lie in scratch."""

    name: ClassVar[str] = "distill"
    needs: ClassVar[tuple[str, ...]] = ("data", "prune")
    sections: ClassVar[tuple[str, ...]] = ("distill",)

    def run(self, work: Workspace) -> Metrics:
        """Train, or pass the student on where the recipe says so."""
        speech = LabelledSpeech.open(work.inputs["data"])
        student = load_student(work.inputs["prune"] / STUDENT)
        holdout = speech.load(speech.holdout)
        metrics = {"mel_db_before": mel_distance_db(student, holdout, work.progress)}
        if self.recipe.distill.enabled:
            student = self._trained(student, speech, work)
        save_student(student, work.output / STUDENT)
        return metrics | {"mel_db": mel_distance_db(student, holdout, work.progress)}

    def _trained(self, student: Student, speech: LabelledSpeech, work: Workspace) -> Student:
        zeros_stay = self.recipe.prune.enabled and self.recipe.prune.method == "magnitude"
        if zeros_stay:
            hold_zeros(student.trunk)
        settings = self.settings(student)
        examples = speech.load(speech.train)
        try:
            training = Distillation(student, examples, settings, work.scratch / "distill")
        except ValueError as error:
            given = self.recipe.distill.segment_seconds
            raise RecipeError(f"distill.segment_seconds = {given:g}: {error}") from error
        bar = PushedProgress(work.progress, "distillation")
        try:
            trained = training.run(lambda share, figures: bar.reach(share))
        finally:
            bar.close()
        keep_log(work.scratch / "distill", work.output)
        if zeros_stay:
            release_zeros(trained.trunk)
        return trained.eval()

    def settings(self, student: Student) -> DistillSettings:
        """Translate the recipe's section."""
        s = self.recipe.distill
        frames = round(s.segment_seconds * student.config.sample_rate / student.config.hop)
        return DistillSettings(
            budget=Budget(steps=s.steps),
            batch=s.batch,
            segment_frames=frames,
            peak_rate=s.learning_rate,
            waveform=s.waveform,
            stft=s.stft,
            mel=s.mel,
            feature=s.feature,
            pitch=s.pitch,
            voicing=s.voicing,
            adversarial=s.adversarial,
            adversarial_from=s.adversarial_from,
            disturbance=Disturbance(s.warp, s.colour, (s.expansion_lowest, s.expansion_highest)),
            seed=s.seed,
        )
