"""The third stage: distillation of the pruned student."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from edge_vc.compress.pipeline.artifacts import STUDENT, LabelledSpeech
from edge_vc.compress.pipeline.run_folder import RunFolderError
from edge_vc.compress.pipeline.stage import Metrics, Stage, Workspace
from edge_vc.compress.pruning.magnitude import hold_zeros, release_zeros
from edge_vc.compress.stages.mel_distance import mel_distance_db
from edge_vc.compress.stages.training_log import copy_log
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.content.encoder import ContentError
from edge_vc.models.student.file import load_student, save_student
from edge_vc.models.student.student import Student
from edge_vc.nn.flat_step import TooShortError
from edge_vc.settings.field import RecipeError, Value
from edge_vc.settings.paths import paths_named
from edge_vc.training.checkpoint import CheckpointError
from edge_vc.training.student.batches import set_prior
from edge_vc.training.student.conditions import conditions_for
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.inputs.input_features import InputAugmentation
from edge_vc.training.student.inputs.noise import NoiseAugmentation, noise_folders, noise_hash
from edge_vc.training.student.inputs.voice_perturb import VoicePerturbation
from edge_vc.training.student.pitch import train_pitch
from edge_vc.training.student.recogniser import RecogniserDistance
from edge_vc.training.terms import NoTermError
from edge_vc.workers.progress import PushedProgress


class DistillStage(Stage):
    """Trains the student on the teacher's output; its checkpoints are in scratch."""

    name: ClassVar[str] = "distill"
    needs: ClassVar[tuple[str, ...]] = ("data", "prune")
    sections: ClassVar[tuple[str, ...]] = ("distill", "noise", "voice_perturb")

    def check_ready(self) -> None:
        """Raise `RecipeError` if something is missing: teachers of voices, noises, a recogniser."""
        voices = self.recipe.student.voices
        if voices and not self.recipe.voices.names and self.recipe.distill.enabled:
            raise RecipeError(
                f'student.voices = "{voices}": these have no teachers; leave it out and name a '
                'teacher for each under [voices], as in NAME = "my-voice"'
            )
        noise_folders(self.recipe.noise)
        total = self.recipe.noise.share + self.recipe.voice_perturb.share
        if total > 1:
            raise RecipeError(
                f"noise.share and voice_perturb.share: are {total:g} together, must be at most 1"
            )
        if self.recipe.distill.enabled and self.recipe.distill.words:
            try:
                RecogniserDistance(self.recipe.student.sample_rate)
            except ContentError as error:
                raise RecipeError(
                    f"distill.words = {self.recipe.distill.words:g}: {error}"
                ) from error

    def external_inputs(self) -> dict[str, str]:
        """Return a hash of recorded noises, if there are any."""
        hash = noise_hash(self.recipe.noise)
        return {"noise": hash} if hash else {}

    def resolved(self) -> dict[str, dict[str, Value]]:
        """Return the sections without paths; augmentations only if their share is not zero."""
        picked = super().resolved()
        picked["noise"] |= paths_named(self.recipe.noise)
        for name in ("noise", "voice_perturb"):
            if not getattr(self.recipe, name).share:
                del picked[name]  # so that runs from before these sections existed can be resumed
        return picked

    def run(self, work: Workspace) -> Metrics:
        """Train the student, or copy it if the recipe disables distillation."""
        speech = LabelledSpeech.open(work.inputs["data"])
        student = load_student(work.inputs["prune"] / STUDENT)
        holdout = speech.load(speech.holdout)
        voices = speech.voices_of(speech.holdout)
        metrics = {"mel_db_before": mel_distance_db(student, holdout, work.progress, voices)}
        if self.recipe.distill.enabled:
            student = self._trained(student, speech, work)
        save_student(student, work.output / STUDENT)
        return metrics | {"mel_db": mel_distance_db(student, holdout, work.progress, voices)}

    def _augmentations(self, examples: Sequence[LabelledAudio]) -> list[InputAugmentation]:
        """Return the augmentations of the student's input."""
        noise, voice_perturb = self.recipe.noise, self.recipe.voice_perturb
        found: list[InputAugmentation] = []
        if noise.share:
            found.append(NoiseAugmentation(noise, examples))
        if voice_perturb.share:
            found.append(VoicePerturbation(voice_perturb, self.recipe.student.sample_rate))
        return found

    def _trained(self, student: Student, speech: LabelledSpeech, work: Workspace) -> Student:
        zeros_stay = self.recipe.prune.enabled and self.recipe.prune.method == "magnitude"
        if zeros_stay:
            hold_zeros(student.trunk)
        examples = speech.load(speech.train)
        settings, folder = self.recipe.distill, work.scratch / "distill"
        try:
            if self.recipe.student.weights == "random":
                set_prior(student, examples[:: max(1, len(examples) // 200)])
            told = conditions_for(student.config, examples, voices=speech.voices_of(speech.train))
            augmentations = self._augmentations(examples)
            training = Distillation(
                student,
                examples,
                settings,
                folder,
                conditions=told,
                augmentations=augmentations,
                progress=work.progress,
            )
        except TooShortError as error:
            given = settings.segment_seconds
            raise RecipeError(f"distill.segment_seconds = {given:g}: {error}") from error
        except ValueError as error:
            raise RecipeError(f"distill.{error}") from error
        bar = PushedProgress(work.progress, "distillation")
        try:
            if not training.checkpoint.path.exists():  # a resumed run has its pitch trained
                steps = settings.pitch_steps
                train_pitch(training.student, training.batches, steps, seed=settings.seed)
            trained = training.run(lambda share, figures: bar.reach(share))
        except CheckpointError as error:
            raise RunFolderError(str(error)) from error
        except NoTermError as error:
            raise RecipeError(f"distill: {error}") from error
        finally:
            bar.close()
        copy_log(folder, work.output)
        if zeros_stay:
            release_zeros(trained.trunk)
        return trained.eval()
