"""What can be evaluated: nothing at all, a teacher, a bundle, or files made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples, read_audio, resample
from edge_vc.data.corpus import AUDIO_SUFFIXES, Utterance
from edge_vc.evaluate.requirements import EvaluationError

RATE = 16000
"""Sample rate in Hz at which everything is compared."""

Convert = Callable[[Samples], Samples]
"""Mono ``[T]`` at `RATE` to its conversion ``[T]``."""

Contender = Convert | Path
"""A converter, or a folder of ``<utt_id>.wav`` files (or ``.flac``, ``_converted`` appended)."""


def load_contenders(what: str) -> dict[str, Contender]:
    """Return contenders by name: ``source``, ``teacher``, teacher weights, a bundle or a folder.

    A bundle contributes one contender for each precision in it.
    """
    path = Path(what)
    if what == "source":
        return {"source": lambda samples: samples}
    if what == "teacher" or path.suffix == ".safetensors":
        return {path.stem: _teacher(None if what == "teacher" else path)}
    if path.suffix == ".evc":
        return _bundle(path)
    if path.is_dir():
        return {path.name: path}
    raise EvaluationError(
        f"{what}: nothing to evaluate; give source, teacher, a .evc bundle, "
        "teacher weights (.safetensors) or a folder of converted files"
    )


def converted(contender: Contender, utterance: Utterance, samples: Samples) -> Samples:
    """Return a contender's version of an utterance, checked to be usable mono ``[T]``."""
    if isinstance(contender, Path):
        return read_audio(_file_for(contender, utterance), RATE)
    result = np.asarray(contender(samples), dtype=np.float32)
    if result.shape != samples.shape or not np.isfinite(result).all():
        raise EvaluationError(
            f"{utterance.utt_id}: converted to shape {list(result.shape)} with "
            f"{int((~np.isfinite(result)).sum())} samples not finite; give {list(samples.shape)}"
        )
    return result


def _file_for(folder: Path, utterance: Utterance) -> Path:
    names = (utterance.utt_id, f"{utterance.utt_id}_converted")
    for name in (f"{name}{suffix}" for name in names for suffix in AUDIO_SUFFIXES):
        if (folder / name).is_file():
            return folder / name
    raise EvaluationError(f"{folder}: has no {utterance.utt_id}.wav; convert all sentences first")


def _teacher(weights: Path | None) -> Convert:
    from edge_vc.teachers.default import DEFAULT_WEIGHTS, DefaultTeacher

    weights = weights or DEFAULT_WEIGHTS
    if not weights.is_file():
        raise EvaluationError(f"{weights}: no such teacher weights; train or name others")
    teacher = DefaultTeacher.load(weights)
    return at_rate(teacher.convert, teacher.sample_rate)


def _bundle(path: Path) -> dict[str, Contender]:
    from edge_vc_runtime.bundle import read_bundle
    from edge_vc_runtime.loop import convert_array
    from edge_vc_runtime.session import Session

    bundle = read_bundle(path)
    contenders: dict[str, Contender] = {}
    for precision in sorted({model.precision for model in bundle.manifest.models}):
        session = Session.open(bundle, precision=precision)

        def convert(samples: Samples, session: Session = session) -> Samples:
            return convert_array(session, samples)

        contenders[f"{path.stem}-{precision}"] = at_rate(convert, session.sample_rate)
    return contenders


def at_rate(convert: Convert, sample_rate: int) -> Convert:
    """Wrap a converter that works at ``sample_rate`` Hz as one that works at `RATE`."""
    if sample_rate == RATE:
        return convert

    def resampled(samples: Samples) -> Samples:
        there = convert(resample(samples, RATE, sample_rate))
        back = resample(there, sample_rate, RATE)[: samples.shape[0]]
        return np.pad(back, (0, samples.shape[0] - back.shape[0]))

    return resampled
