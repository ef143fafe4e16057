"""The first stage: training speech, labelled by the teacher."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from edge_vc.audio.pitch import FRAME_RATE, frame_hop
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
from edge_vc.labelling.labels import load_labels
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
    """Selects or synthesises recordings and converts them with the teacher."""

    name: ClassVar[str] = "data"
    sections: ClassVar[tuple[str, ...]] = ("teacher", "voices", "data")
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
        """The user's recordings; None if speech is to be synthesised."""
        teacher = self.recipe.teacher
        given = self._section.corpus
        if not given and isinstance(teacher, PairsSpec) and not self.recipe.voices.names:
            given = teacher.path
        if not given:
            return None
        try:
            return Corpus.open(given)
        except CorpusError as error:
            raise RecipeError(f'data.corpus = "{given}": {error}') from error

    @property
    def _rate(self) -> int:
        """Sample rate of the student, and thus of the labels, in Hz."""
        return self.recipe.student.sample_rate

    def _check_rate(self, speech: LabelledSpeech) -> None:
        """Raise `RecipeError` if the labels have another rate than the student."""
        hop = load_labels(speech.folder / speech.train[0]).hop
        if hop != frame_hop(self._rate):
            raise RecipeError(
                f'data.labels = "{self._section.labels}": are at {hop * FRAME_RATE} Hz, not '
                f"student.sample_rate = {self._rate}; label with --sample-rate "
                f"{self._rate}, or give data.corpus instead"
            )

    @cached_property
    def _external(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for voice, teacher in self.recipe.teachers.items():
            of = f" of {voice}" if voice else ""
            if self._section.labels:
                found[f"labels{of}"] = labels_hash(self._opened(voice))
                continue
            try:
                found[f"teacher{of}"] = teacher_hash(teacher)
            except TeacherError as error:
                raise RecipeError(str(error)) from error
        if self._section.labels:
            return found
        corpus = self._corpus.content_hash() if self._corpus else "synthetic"
        rate = {} if self._rate == RATE else {"sample_rate": str(self._rate)}
        return found | {"corpus": corpus} | rate

    def _given_labels(self, voice: str) -> Path:
        """Folder of the recipe's labels; with several voices, each voice has its own subfolder."""
        return Path(self._section.labels, voice)

    def _opened(self, voice: str) -> LabelReport:
        return open_labels(str(self._given_labels(voice)), self.recipe.teachers[voice])

    def external_inputs(self) -> dict[str, str]:
        """Return hashes of the teacher and the corpus, or of the labels."""
        return self._external

    def resolved(self) -> dict[str, dict[str, Value]]:
        """Return the sections without paths; `external_inputs` has hashes of the files."""
        picked: dict[str, Any] = super().resolved()
        picked["data"] |= paths_named(self.recipe.data)
        if not self.recipe.voices.names:
            picked["teacher"] |= paths_named(self.recipe.teacher)
        for voice, teacher in self.recipe.voices.teachers:
            picked["voices"][voice] |= paths_named(teacher)
        return picked

    def run(self, work: Workspace) -> Metrics:
        """Label the selected recordings; finished ones stay in scratch until all are done."""
        data, voices = self._section, tuple(self.recipe.teachers)
        if data.labels:
            folders = {voice: self._given_labels(voice) for voice in voices}
            reports = {voice: self._opened(voice) for voice in voices}
            corpus = labelled_corpus(list(reports.values()), Path(data.labels))
            train, holdout = choose(corpus, data)
        else:
            folders = {voice: work.scratch / "labels" / voice for voice in voices}
            train, holdout = choose(self._asked(work), data)
            reports = {v: self._label(v, folders[v], train, holdout, work) for v in voices}
        parts = {"train": train, "holdout": holdout}
        speech = _collected(reports, folders, parts, work.output, vary=data.vary)
        self._check_rate(speech)
        return {
            "train_recordings": len(speech.train),
            "train_minutes": sum(u.seconds for u in train) / 60,
            "holdout_seconds": sum(u.seconds for u in holdout),
            "left_out": sum(sum(report.reasons.values()) for report in reports.values()),
        }

    def _asked(self, work: Workspace) -> Corpus:
        """Return the recordings that all teachers can convert."""
        corpus = self._corpus or self._synthesize(work)
        try:
            for teacher in self.recipe.teachers.values():
                asked = recordings_for(teacher, corpus)
                corpus = Corpus(corpus.root, tuple(utterance for utterance, _ in asked))
        except TeacherError as error:
            raise RecipeError(str(error)) from error
        return corpus

    def _label(
        self,
        voice: str,
        folder: Path,
        train: list[Utterance],
        holdout: list[Utterance],
        work: Workspace,
    ) -> LabelReport:
        teacher = self.recipe.teachers[voice]
        try:
            recordings = recordings_for(teacher, train, self._section.vary)
            recordings += recordings_for(teacher, holdout)
            job = LabelJob(teacher, recordings, folder, LabelSettings(sample_rate=self._rate))
            if teacher.kind == "default":
                return job.run(InlinePool(TeacherOpener(teacher)), work.progress)
            # Third-party code may hang or crash, so it runs in separate processes.
            return job.run(ProcessPool(TeacherOpener(teacher), os.cpu_count() or 1), work.progress)
        except (TeacherError, LabelFolderError) as error:
            raise RecipeError(str(error)) from error

    def _synthesize(self, work: Workspace) -> Corpus:
        minutes = self._section.minutes + self._section.holdout_seconds / 60
        folder = work.scratch / "corpus"
        return synthesize_corpus(folder, minutes, self._section.seed, work.progress)


def _collected(
    reports: Mapping[str, LabelReport],
    folders: Mapping[str, Path],
    parts: Mapping[str, Sequence[Utterance]],
    output: Path,
    *,
    vary: bool,
) -> LabelledSpeech:
    """Put the labels of every voice into ``output``, with an index that maps them to voices."""
    names: dict[str, list[str]] = {part: [] for part in parts}
    voices: dict[str, str] = {}
    for voice, report in reports.items():
        placed = collect(report, folders[voice], parts, output, vary=vary, voice=voice)
        for part, own in placed.items():
            names[part] += own
            voices |= dict.fromkeys(own, voice) if voice else {}
    speech = LabelledSpeech(output, tuple(names["train"]), tuple(names["holdout"]), voices)
    speech.write_index()
    return speech
