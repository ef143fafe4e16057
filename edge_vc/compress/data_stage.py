"""The first stage: speech to learn from, labelled by the teacher."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from safetensors import SafetensorError

from edge_vc.compress.artefacts import LabelledSpeech
from edge_vc.compress.field import RecipeError
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stage import Metrics, PushedProgress, Stage, Workspace
from edge_vc.compress.starting_point import teacher_path
from edge_vc.data.corpus import Corpus, CorpusError, Utterance
from edge_vc.data.labels import label_corpus
from edge_vc.data.synthetic import synthesize_corpus
from edge_vc.teachers.default import DefaultTeacher, weights_hash

SLOWER_AND_FASTER = (0.87, 1.15)
"""Speeds of varied recordings: larger and smaller people."""
LEAST_SECONDS = 5.0
"""Speech that must be left to learn from."""


class DataStage(Stage):
    """Chooses recordings, or makes some, and lets the teacher convert them."""

    name: ClassVar[str] = "data"
    sections: ClassVar[tuple[str, ...]] = ("teacher", "data")

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        self._section = recipe.data
        self._teacher_path = teacher_path(recipe)

    @cached_property
    def _corpus(self) -> Corpus | None:
        """The user's recordings, opened; None where speech is to be made."""
        if not self._section.corpus:
            return None
        try:
            return Corpus.open(self._section.corpus)
        except CorpusError as error:
            raise RecipeError(f'data.corpus = "{self._section.corpus}": {error}') from error

    @cached_property
    def _external(self) -> dict[str, str]:
        corpus = self._corpus.content_hash() if self._corpus else "synthetic"
        return {"teacher file": weights_hash(self._teacher_path), "corpus": corpus}

    def external_inputs(self) -> dict[str, str]:
        """Hashes of the teacher's weights and of the corpus."""
        return self._external

    def run(self, work: Workspace) -> Metrics:
        """Label what was chosen; finished recordings lie in scratch until all are."""
        corpus = self._corpus or self._synthesize(work)
        train, holdout = choose(
            corpus, self._section.minutes, self._section.holdout_seconds, self._section.seed
        )
        teacher = self._load_teacher()
        varied = SLOWER_AND_FASTER if self._section.vary else ()
        jobs = [("train", u, _speeds(u, varied)) for u in train]
        jobs += [("holdout", u, (1.0,)) for u in holdout]
        for part, utterance, speeds in work.progress(jobs, len(jobs), "teacher converts"):
            label_corpus(
                teacher,
                [utterance],
                work.scratch / part,
                teacher_hash=self._external["teacher file"],
                speeds=speeds,
            )
        speech = _collect(work)
        return {
            "train_recordings": len(speech.train),
            "train_minutes": sum(u.seconds for u in train) / 60,
            "holdout_seconds": sum(u.seconds for u in holdout),
        }

    def _load_teacher(self) -> DefaultTeacher:
        try:
            return DefaultTeacher.load(self._teacher_path)
        except (SafetensorError, LookupError, TypeError, ValueError, RuntimeError) as error:
            fact = str(error).splitlines()[0]
            raise RecipeError(
                f'teacher.weights = "{self.recipe.teacher.weights}": not a teacher: {fact}'
            ) from error

    def _synthesize(self, work: Workspace) -> Corpus:
        minutes = self._section.minutes + self._section.holdout_seconds / 60
        bar = PushedProgress(work.progress, "speech is synthesised")
        try:
            return synthesize_corpus(
                work.scratch / "corpus",
                minutes,
                self._section.seed,
                progress=lambda made, wanted: bar.reach(made / wanted),
            )
        finally:
            bar.close()


def choose(
    corpus: Corpus, minutes: float, holdout_seconds: float, seed: int
) -> tuple[list[Utterance], list[Utterance]]:
    """Draw utterances to learn from and, first, others to measure on.

    Only other people's recordings are measured on. Raises `RecipeError` when the corpus is too
    short for both.
    """
    drawn = sorted(corpus, key=lambda utterance: utterance.path)
    random.Random(seed).shuffle(drawn)
    holdout: list[Utterance] = []
    train: list[Utterance] = []
    held, kept = 0.0, 0.0
    for utterance in drawn:
        if held < holdout_seconds and utterance.role != "target":
            holdout.append(utterance)
            held += utterance.seconds
        elif kept < minutes * 60:
            train.append(utterance)
            kept += utterance.seconds
    if held < holdout_seconds or kept < LEAST_SECONDS:
        raise RecipeError(
            f"data.holdout_seconds = {holdout_seconds:g}: {corpus.root} holds "
            f"{corpus.seconds:.1f} s, too little to keep that and {LEAST_SECONDS:g} s to learn from"
        )
    return train, holdout


def _speeds(utterance: Utterance, varied: Sequence[float]) -> tuple[float, ...]:
    """The target's own recordings are only used as if of others: she is not her own source."""
    own = utterance.role == "target" and len(varied) > 0
    return tuple(varied) if own else (1.0, *varied)


def _collect(work: Workspace) -> LabelledSpeech:
    names: dict[str, list[str]] = {"train": [], "holdout": []}
    for part, files in names.items():
        for path in sorted((work.scratch / part).glob("*.npz")):
            name = f"{part}-{path.name}"
            _place(path, work.output / name)
            files.append(name)
    speech = LabelledSpeech(work.output, tuple(names["train"]), tuple(names["holdout"]))
    speech.write_index()
    return speech


def _place(source: Path, target: Path) -> None:
    """Link a file, so that scratch stays whole if the process dies now; copy where links fail."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
