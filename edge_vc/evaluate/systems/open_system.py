"""Open systems that convert speech: teachers, students and the models of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_vc.audio.io import Samples, resample
from edge_vc.settings.optional import EvaluationError

if TYPE_CHECKING:
    from edge_vc.teachers.spec import TeacherSpec

RATE = 16000
"""Sample rate in Hz at which everything is compared."""

Convert = Callable[[Samples], Samples]
"""Converts mono ``[T]`` at `RATE` to ``[T]``."""


@dataclass(frozen=True)
class BundleVariant:
    """One precision of a bundle's model on one engine."""

    precision: str
    engine: str


def open_source() -> Convert:
    """Return the identity."""
    return lambda samples: samples


def open_teacher(weights: Path | None) -> Convert:
    """Load the teacher of a weights file, or the shipped one."""
    from edge_vc.assets import DEFAULT_WEIGHTS
    from edge_vc.models.content.encoder import ContentError
    from edge_vc.models.voice.file import FormerTeacherError
    from edge_vc.teachers.weights import open_weights

    weights = weights or DEFAULT_WEIGHTS
    if not weights.is_file():
        raise EvaluationError(f"{weights}: no such teacher weights; train or name others")
    try:
        teacher = open_weights(weights)
    except (ContentError, FormerTeacherError) as error:
        raise EvaluationError(f"{weights}: {error}") from error
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        fact = str(error).splitlines()[0]
        raise EvaluationError(f"{weights}: neither a student nor a teacher: {fact}") from error
    return at_rate(teacher.convert, teacher.sample_rate)


def is_other_teacher(path: Path) -> bool:
    """Return whether a file is a teacher with a different network, or a recipe with one."""
    from edge_vc.teachers.registry import teacher_kinds

    kinds = teacher_kinds()
    suffixes = {suffix for kind in kinds.values() for suffix in kind.suffixes}
    return path.suffix.lower() in suffixes - set(kinds["default"].suffixes) | {".toml"}


def other_teacher(
    what: str, note: Callable[[str], None] = lambda line: None
) -> Callable[[], Convert]:
    """Return an opener for any teacher that `edge-vc label` accepts, as a file or as a recipe.

    ``note`` is called with a line about code that runs here for the first time.
    Raises `EvaluationError` for a recipe that cannot be read.
    """
    from edge_vc.settings.field import RecipeError
    from edge_vc.teachers.code_notice import first_use_notice
    from edge_vc.teachers.reading import spec_from_words

    try:
        spec = spec_from_words(what)
    except RecipeError as error:
        raise EvaluationError(str(error)) from error
    if notice := first_use_notice(spec):
        note(notice)
    return partial(_open_spec, spec)


def _open_spec(spec: TeacherSpec) -> Convert:
    from edge_vc.teachers.loading import open_teacher
    from edge_vc.teachers.spec import TeacherError

    try:
        teacher = open_teacher(spec)
    except TeacherError as error:
        raise EvaluationError(str(error)) from error
    return at_rate(teacher.convert, teacher.sample_rate)


def is_student(path: Path) -> bool:
    """Return whether a safetensors file is a student; raises `EvaluationError` if unreadable."""
    from safetensors import SafetensorError

    from edge_vc.models.student.file import METADATA
    from edge_vc.models.weights_file import opened_weights

    if not path.is_file():
        raise EvaluationError(f"{path}: no such teacher weights or student; train or name others")
    try:
        with opened_weights(path) as file:
            return METADATA in (file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise EvaluationError(f"{path}: not readable as safetensors: {error}") from error


def open_student(path: Path) -> Convert:
    """Load a student, which converts whole recordings at once; its delay is removed."""
    import torch

    from edge_vc.models.student.file import StudentFileError, load_student

    try:
        student = load_student(path)
    except StudentFileError as error:
        raise EvaluationError(str(error)) from error
    hop, delay = student.config.hop, student.delay

    def convert(samples: Samples) -> Samples:
        padded = np.pad(samples, (0, delay + -(samples.size + delay) % hop))
        with torch.no_grad():
            output = student(torch.from_numpy(padded)[None, None, None])[0, 0, 0].numpy()
        return np.asarray(output[delay : delay + samples.size])

    return at_rate(convert, student.config.sample_rate)


def bundle_variants(path: Path, note: Callable[[str], None]) -> list[BundleVariant]:
    """Return the bundle's variants usable here; ``note`` gets a line for each missing engine.

    Raises `EngineError` if there are none.
    """
    from edge_vc_runtime.bundle.reader import read_bundle
    from edge_vc_runtime.engines import EngineError, engines_for, load_engine

    models = read_bundle(path).manifest.models
    found = {
        BundleVariant(model.precision, kind.name)
        for model in models
        for kind in engines_for((model.format,))
        if kind.reads(model) and not kind.absent_by_choice
    }
    usable: list[BundleVariant] = []
    missing: dict[str, str] = {}
    for variant in sorted(found, key=lambda one: (one.precision, one.engine)):
        try:
            load_engine(variant.engine)
        except EngineError as error:
            missing[variant.engine] = f"{path.name}: {variant.engine} left out: {error}"
        else:
            usable.append(variant)
    if not usable:
        raise EngineError("; ".join(missing.values()))
    for line in missing.values():
        note(line)
    return usable


def input_settings(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return those of ``given`` that are conditioning inputs of a bundle.

    Raises `ModelInputError` for a value that the bundle does not accept.
    """
    from edge_vc_runtime.bundle.reader import read_bundle

    own = {spec.name: spec for spec in read_bundle(path).manifest.inputs}
    for name in given.keys() & own.keys():
        own[name].check(given[name])
    return {name: value for name, value in given.items() if name in own}


def open_variant(path: Path, variant: BundleVariant, inputs: Mapping[str, str]) -> Convert:
    """Open a session of a bundle's variant; every recording starts from the initial state.

    ``inputs`` are the values of its conditioning inputs.
    """
    from edge_vc_runtime.live.offline import convert_array
    from edge_vc_runtime.session import Session

    session = Session.open(path, engine=variant.engine, threads=1, precision=variant.precision)
    for name, value in inputs.items():
        session.set(name, value)
    return at_rate(lambda samples: convert_array(session, samples), session.sample_rate)


def at_rate(convert: Convert, sample_rate: int) -> Convert:
    """Wrap a converter that works at ``sample_rate`` Hz as one that works at `RATE`."""
    if sample_rate == RATE:
        return convert

    def resampled(samples: Samples) -> Samples:
        there = convert(resample(samples, RATE, sample_rate))
        back = resample(there, sample_rate, RATE)[: samples.shape[0]]
        return np.pad(back, (0, samples.shape[0] - back.shape[0]))

    return resampled
