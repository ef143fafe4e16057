"""Systems to evaluate: the source, teachers, students, bundles, folders of converted files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from edge_vc.assets import bundle_names, bundle_path
from edge_vc.audio.io import Samples
from edge_vc.data.file_name import file_name
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.systems import open_system
from edge_vc.evaluate.systems.converted_folder import notices_of, open_folder
from edge_vc.settings.optional import EvaluationError

RATE = open_system.RATE
"""Sample rate in Hz at which everything is compared."""

Convert = open_system.Convert
Conversion = Callable[[Utterance, Samples], Samples]
"""Converts an utterance and its samples ``[T]`` at `RATE` to ``[T]``."""
Note = Callable[[str], None]
"""Called with a line for each system that is left out, and why."""

SOURCE = "source"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")


@dataclass(frozen=True)
class ConversionSystem:
    """A named converter; opened once in every process that uses it."""

    name: str
    open: Callable[[], Conversion]
    """Must be picklable if several processes work."""
    kind: str = "other"
    """``source``, ``teacher``, ``student``, ``folder`` or ``other``."""
    family: str = ""
    """Name shared by the variants of one model: ``kathleen-base`` in INT8 and fp32."""
    precision: str = ""
    engine: str = ""
    folder: Path | None = None
    """Folder of files converted elsewhere; they have no noisy conditions."""
    inputs: tuple[str, ...] = ()
    """Names of the conditioning inputs that are set."""

    @classmethod
    def of(cls, name: str, convert: Convert, kind: str = "other") -> ConversionSystem:
        """Wrap a function ``[T] -> [T]`` at `RATE` as a system in this process."""
        return cls(name, partial(_from_samples, lambda: convert), kind)


def load_systems(
    what: str, note: Note = lambda line: None, inputs: Mapping[str, str] | None = None
) -> list[ConversionSystem]:
    """Return the systems named: ``source``, ``teacher``, weights, a student, a bundle, a folder.

    A bundle is a path or a shipped one's name, and contributes one system for each precision and
    format in it whose engine is installed here; ``note`` gets a line for each of the others, and
    for each file of a folder that is left out. ``inputs`` are set if a bundle has them.
    ``NAME=PATH`` renames. Raises `EvaluationError`, and `ModelInputError` for a value that a
    bundle's input does not accept.
    """
    name, _, rest = ("", "", what) if Path(what).exists() else what.rpartition("=")
    if name and not _NAME.fullmatch(name):
        raise EvaluationError(f"{name}: no name for a system; use letters, digits and . _ - +")
    path = Path(rest)
    if rest in bundle_names() and not path.exists():
        path = bundle_path(rest)
    if rest == SOURCE:
        return [
            ConversionSystem(
                name or SOURCE, partial(_from_samples, open_system.open_source), SOURCE
            )
        ]
    if rest == "teacher":
        return [_one(name or rest, "teacher", partial(open_system.open_teacher, None))]
    if path.suffix == ".safetensors":
        return [_weights(name, path)]
    if path.suffix == ".evc":
        return _bundle(name, path, note, open_system.input_settings(path, inputs or {}))
    if open_system.is_other_teacher(path):
        return [
            _one(name or file_name(path.stem), "teacher", open_system.other_teacher(rest, note))
        ]
    if path.is_dir():
        path = path.resolve()
        name = name or file_name(path.name)
        for line in notices_of(path):
            note(line)
        return [ConversionSystem(name, partial(open_folder, path), "folder", name, folder=path)]
    raise EvaluationError(
        f"{rest}: nothing to evaluate; give source, teacher, a .evc bundle, a shipped bundle's "
        f"name ({', '.join(bundle_names())}), teacher weights or a student (.safetensors), another "
        "teacher (.onnx, .pt2, .toml) or a folder of files"
    )


def unique_systems(systems: Iterable[ConversionSystem]) -> tuple[ConversionSystem, ...]:
    """Return the systems, the source first, since error rates are relative to it.

    Raises `EvaluationError` if there are none or two share a name.
    """
    found: dict[str, ConversionSystem] = {}
    for system in systems:
        if system.name in found or system.name in ("target", ""):
            raise EvaluationError(
                f"{system.name or 'a system without name'}: the name is taken; "
                "give another as NAME=PATH"
            )
        found[system.name] = system
    if not found:
        raise EvaluationError("no systems; give at least one converter or folder")
    sources = [c for c in found.values() if c.kind == SOURCE] or load_systems(SOURCE)
    if sources[0].name in found and found[sources[0].name].kind != SOURCE:
        raise EvaluationError("source: the name is taken by the recordings; give another")
    return (sources[0], *(c for c in found.values() if c is not sources[0]))


def check_inputs(systems: Iterable[ConversionSystem], inputs: Mapping[str, str]) -> None:
    """Raise `EvaluationError` for one of ``inputs`` that no system has."""
    used = {name for system in systems for name in system.inputs}
    for name in inputs:
        if name not in used:
            raise EvaluationError(
                f"{name!a:.42}: none of these bundles has such an input; `edge-vc inspect` lists "
                "what they have"
            )


def converted(name: str, convert: Conversion, utterance: Utterance, samples: Samples) -> Samples:
    """Return a system's conversion of an utterance, checked to be valid mono ``[T]``.

    Raises `EvaluationError` naming the system and the file.
    """
    try:
        result = np.asarray(convert(utterance, samples), dtype=np.float32)
    except EvaluationError:
        raise
    except ValueError as error:
        raise EvaluationError(f"{name}: cannot convert {utterance.path}: {error}") from error
    bad = int((~np.isfinite(result)).sum())
    if result.shape != samples.shape or bad:
        raise EvaluationError(
            f"{name}: converts {utterance.path} to shape {list(result.shape)} with {bad} samples "
            f"not finite; it has to give {list(samples.shape)}, all finite"
        )
    return result


def _from_samples(open_convert: Callable[[], Convert]) -> Conversion:
    convert = open_convert()
    return lambda utterance, samples: convert(samples)


def _one(name: str, kind: str, opener: Callable[[], Convert]) -> ConversionSystem:
    return ConversionSystem(name, partial(_from_samples, opener), kind, family=name)


def _weights(name: str, path: Path) -> ConversionSystem:
    """Return a student or a teacher, depending on the file's metadata."""
    if open_system.is_student(path):
        stem = path.stem if path.stem != "student" else f"{path.resolve().parent.name}-student"
        made = _one(name or file_name(stem), "student", partial(open_system.open_student, path))
        return replace(made, precision="fp32", engine="torch")
    opener = partial(open_system.open_teacher, path)
    return _one(name or file_name(path.stem), "teacher", opener)


def _bundle(name: str, path: Path, note: Note, inputs: Mapping[str, str]) -> list[ConversionSystem]:
    said = "".join(f"+{each}.{value}" for each, value in inputs.items())
    stem = name or file_name(path.stem + said)
    return [
        ConversionSystem(
            f"{stem}-{variant.precision}-{variant.engine}",
            partial(_from_samples, partial(open_system.open_variant, path, variant, inputs)),
            "student",
            stem,
            variant.precision,
            variant.engine,
            inputs=tuple(inputs),
        )
        for variant in open_system.bundle_variants(path, note)
    ]
