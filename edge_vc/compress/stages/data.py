"""The first stage: speech to learn from, labelled by the teacher."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from edge_vc.compress.pipeline.artifacts import LabelledSpeech
from edge_vc.compress.pipeline.stage import Metrics, Stage, Workspace
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.labels import (
    choose,
    collect,
    labelled_corpus,
    labels_hash,
    open_labels,
)
from edge_vc.data.corpus import Corpus
from edge_vc.data.corpus_table import CorpusError
from edge_vc.data.synthetic.synthetic import synthesize_corpus
from edge_vc.data.utterance import Utterance
from edge_vc.labelling.folder import LabelFolderError
from edge_vc.labelling.job import LabelJob, LabelSettings, recordings_for
from edge_vc.labelling.label import RATE
from edge_vc.labelling.labels import FRAME_RATE, label_hop, load_labels
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.labelling.report import LabelReport
from edge_vc.settings.field import RecipeError, Value
from edge_vc.settings.paths import paths_named
from edge_vc.teachers.loading import teacher_hash
from edge_vc.teachers.pairs_folder import PairsSpec
from edge_vc.teachers.spec import TeacherError
from edge_vc.workers.inline_pool import InlinePool
from edge_vc.workers.process_pool import ProcessPool


class DataStage(Stage):
    """Chooses recordings, or makes some, and lets the teacher convert them."""

    name: ClassVar[str] = "data"
    sections: ClassVar[tuple[str, ...]] = ("teacher", "data")
    revision: ClassVar[int] = 2

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self._section = recipe.data
        if self._section.labels and self._section.corpus:
            raise RecipeError(
                f'data.labels = "{self._section.labels}": holds its own corpus; leave '
                f'data.corpus = "{self._section.corpus}" out'
            )

    @cached_property
    def _corpus(self) -> Corpus | None:
        """The user's recordings, opened; None where speech is to be made."""
        teacher = self.recipe.teacher
        given = self._section.corpus
        if not given and isinstance(teacher, PairsSpec):
            given = teacher.path
        if not given:
            return None
        try:
            return Corpus.open(given)
        except CorpusError as error:
            raise RecipeError(f'data.corpus = "{given}": {error}') from error

    @property
    def _rate(self) -> int:
        """Rate of the student and so of the labels, in Hz."""
        return self.recipe.student.sample_rate

    def _check_rate(self, speech: LabelledSpeech) -> None:
        """Raise `RecipeError` for labels of another rate than the student's."""
        hop = load_labels(speech.folder / speech.train[0]).hop
        if hop != label_hop(self._rate):
            raise RecipeError(
                f'data.labels = "{self._section.labels}": are at {hop * FRAME_RATE} Hz, not '
                f"student.sample_rate = {self._rate}; label with --sample-rate "
                f"{self._rate}, or give data.corpus instead"
            )

    @cached_property
    def _external(self) -> dict[str, str]:
        if self._section.labels:
            report = open_labels(self._section.labels, self.recipe.teacher)
            return {"labels": labels_hash(report)}
        try:
            teacher = teacher_hash(self.recipe.teacher)
        except TeacherError as error:
            raise RecipeError(str(error)) from error
        corpus = self._corpus.content_hash() if self._corpus else "synthetic"
        rate = {} if self._rate == RATE else {"sample_rate": str(self._rate)}
        return {"teacher": teacher, "corpus": corpus} | rate

    def external_inputs(self) -> dict[str, str]:
        """Hashes of the teacher and the corpus, or of the labels."""
        return self._external

    def resolved(self) -> dict[str, dict[str, Value]]:
        """The sections without paths; the files count by their hashes, see `external_inputs`."""
        picked = super().resolved()
        for name, section in (("teacher", self.recipe.teacher), ("data", self.recipe.data)):
            picked[name] |= paths_named(section)
        return picked

    def run(self, work: Workspace) -> Metrics:
        """Label the selection; finished recordings stay in scratch until all are done."""
        data = self._section
        if data.labels:
            source = Path(data.labels)
            report = open_labels(data.labels, self.recipe.teacher)
            train, holdout = choose(labelled_corpus(report, source), data)
        else:
            source = work.scratch / "labels"
            train, holdout = choose(self._asked(work), data)
            report = self._label(source, train, holdout, work)
        speech = collect(report, source, train, holdout, data.vary, work.output)
        self._check_rate(speech)
        left_out = sum(report.reasons.values())
        return {
            "train_recordings": len(speech.train),
            "train_minutes": sum(u.seconds for u in train) / 60,
            "holdout_seconds": sum(u.seconds for u in holdout),
            "left_out": left_out,
        }

    def _asked(self, work: Workspace) -> Corpus:
        """Return the recordings that the teacher can be asked for."""
        corpus = self._corpus or self._synthesize(work)
        try:
            recordings = recordings_for(self.recipe.teacher, corpus)
        except TeacherError as error:
            raise RecipeError(str(error)) from error
        return Corpus(corpus.root, tuple(utterance for utterance, _ in recordings))

    def _label(
        self, folder: Path, train: list[Utterance], holdout: list[Utterance], work: Workspace
    ) -> LabelReport:
        teacher = self.recipe.teacher
        try:
            recordings = recordings_for(teacher, train, self._section.vary)
            recordings += recordings_for(teacher, holdout)
            job = LabelJob(teacher, recordings, folder, LabelSettings(sample_rate=self._rate))
            if teacher.kind == "default":
                return job.run(InlinePool(TeacherOpener(teacher)), work.progress)
            # Somebody else's code: it may hang or die, and does so in processes of its own.
            return job.run(ProcessPool(TeacherOpener(teacher), os.cpu_count() or 1), work.progress)
        except (TeacherError, LabelFolderError) as error:
            raise RecipeError(str(error)) from error

    def _synthesize(self, work: Workspace) -> Corpus:
        minutes = self._section.minutes + self._section.holdout_seconds / 60
        folder = work.scratch / "corpus"
        return synthesize_corpus(folder, minutes, self._section.seed, work.progress)
