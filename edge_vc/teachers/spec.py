"""What a teacher is, as data: one frozen dataclass for each kind, read from ``[teacher]``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from edge_vc.settings.field import RecipeError, choice, number, section_from_table, unknown

HIGHEST_RATE = 192_000
SHAPES = ("1,T", "1,1,T", "T")


class TeacherError(ValueError):
    """A teacher that cannot be opened or does not answer; one line with the fact."""


@dataclass(frozen=True)
class TeacherSpec:
    """Any teacher. Paths are relative to the working directory."""

    kind: str
    """Which adapter opens it."""

    passing: ClassVar[tuple[str, ...]] = ()
    """Fields that change how an answer is got, not what it is: no part of the teacher's hash."""


@dataclass(frozen=True)
class DefaultSpec(TeacherSpec):
    """Our own network."""

    kind: str = choice("default", "default")
    weights: str = "shipped"
    """``shipped``, or the path of a teacher's ``.safetensors``."""


SHIPPED = DefaultSpec()
"""The teacher that comes with the project."""


@dataclass(frozen=True)
class _WaveformSpec(TeacherSpec):
    sample_rate: int = number(16_000, 0, HIGHEST_RATE, "Hz")
    """Rate of what the teacher is given; the recordings are resampled to it."""
    output_sample_rate: int = number(0, 0, HIGHEST_RATE, "Hz")
    """Rate of what it answers, resampled back; 0: the same."""


@dataclass(frozen=True)
class ModuleSpec(_WaveformSpec):
    """An ``nn.Module`` of the user's: a float tensor of audio in, one out."""

    kind: str = choice("module", "module")
    factory: str = ""
    """``package.module:function`` or ``path/to/file.py:function``, called without arguments."""
    weights: str = ""
    """``.safetensors``, or what ``torch.load(weights_only=True)`` reads; empty: none."""
    weights_key: str = ""
    """Where in the file the state dict lies, such as ``model``; empty: the file is one."""
    shape: str = choice("1,T", *SHAPES)
    multiple: int = number(1, 1, 10_000_000, "samples")
    """The input is padded with silence to a multiple of this."""
    device: str = choice("cpu", "cpu", "cuda")
    passing: ClassVar[tuple[str, ...]] = ("device",)


@dataclass(frozen=True)
class ProgramSpec(_WaveformSpec):
    """A ``torch.export`` program."""

    kind: str = choice("program", "program")
    path: str = ""
    """A ``.pt2`` file with one input of audio; of a fixed length, it is run in windows."""
    multiple: int = number(1, 1, 10_000_000, "samples")
    """The input is padded with silence to a multiple of this."""
    device: str = choice("cpu", "cpu", "cuda")
    passing: ClassVar[tuple[str, ...]] = ("device",)


@dataclass(frozen=True)
class OnnxSpec(_WaveformSpec):
    """An ONNX file, offline or streaming."""

    kind: str = choice("onnx", "onnx")
    sample_rate: int = number(0, 0, HIGHEST_RATE, "Hz")
    """0: as the file's metadata say, else 16000."""
    path: str = ""
    states: str = ""
    """``in=next, ...`` for a streaming graph; empty: inputs ``state.X`` with outputs ``next.X``."""
    hop: int = number(0, 0, 1_000_000, "samples")
    """Samples per run of a streaming graph; 0: the length of its input."""
    delay: int = number(-1, -1, 1_000_000, "samples")
    """What a streaming graph's answer lags behind; -1: as the file's metadata say, else 0."""
    multiple: int = number(1, 1, 10_000_000, "samples")
    """The input of an offline graph is padded with silence to a multiple of this."""
    threads: int = number(1, 1, 256, "threads")
    passing: ClassVar[tuple[str, ...]] = ("threads",)


@dataclass(frozen=True)
class PairsSpec(TeacherSpec):
    """A folder of recordings that another tool converted."""

    kind: str = choice("pairs", "pairs")
    path: str = ""
    """``NAME_original.wav`` beside ``NAME_converted.wav``, in ``train/``, ``val/``, ``dev/``."""
    sample_rate: int = number(16_000, 1_000, HIGHEST_RATE, "Hz")
    """Rate to which both are resampled."""


@dataclass(frozen=True)
class CommandSpec(_WaveformSpec):
    """A program that is run once per recording."""

    kind: str = choice("command", "command")
    command: str = ""
    """Words with ``{input}`` and ``{output}``, paths of WAV files; no shell reads them."""
    timeout: float = number(300.0, 0.1, 86_400.0, "s")
    retries: int = number(1, 0, 20, "retries")
    """How often a failed run is tried again."""
    passing: ClassVar[tuple[str, ...]] = ("timeout", "retries")


SPECS: dict[str, type[TeacherSpec]] = {
    "default": DefaultSpec,
    "module": ModuleSpec,
    "program": ProgramSpec,
    "onnx": OnnxSpec,
    "pairs": PairsSpec,
    "command": CommandSpec,
}
"""The kinds of teachers; `edge_vc.teachers.loading` opens them."""

NEEDED = {"module": "factory", "program": "path", "onnx": "path", "pairs": "path"} | {
    "command": "command"
}
"""The key without which a kind is nothing."""


def spec_from_table(table: Mapping[str, object]) -> TeacherSpec:
    """Return the teacher of a ``[teacher]`` table; raises `RecipeError` for a bad key or value."""
    kind = table.get("kind", "default")
    if not isinstance(kind, str) or kind not in SPECS:
        raise unknown("kind of teacher", "teacher.kind", SPECS, kind)
    spec = section_from_table(SPECS[kind], table, "teacher", key_noun=f"key of a {kind} teacher")
    needed = NEEDED.get(kind)
    if needed and not getattr(spec, needed):
        raise RecipeError(f'teacher.{needed}: is needed by kind = "{kind}"')
    return spec


def spec_from_words(what: str) -> TeacherSpec:
    """Return the teacher that a command line names without a recipe.

    ``shipped``, a recipe's ``[teacher]`` (``.toml``), weights (``.safetensors``), a program
    (``.pt2``), a graph (``.onnx``) or a folder of pairs. Raises `RecipeError` for anything else.
    """
    suffixes: dict[str, tuple[str, str]] = {
        ".safetensors": ("default", "weights"),
        ".pt2": ("program", "path"),
        ".onnx": ("onnx", "path"),
    }
    path = Path(what)
    if what == "shipped":
        return SHIPPED
    if path.suffix == ".toml":
        return _spec_from_recipe(path)
    if path.suffix in suffixes:
        kind, key = suffixes[path.suffix]
        return spec_from_table({"kind": kind, key: what})
    if path.is_dir():
        return spec_from_table({"kind": "pairs", "path": what})
    raise RecipeError(
        f"{what}: no teacher; give shipped, a recipe (.toml) with [teacher], weights "
        "(.safetensors), a program (.pt2), a graph (.onnx) or a folder of pairs"
    )


def _spec_from_recipe(path: Path) -> TeacherSpec:
    """Read ``[teacher]`` of a recipe; its other sections are those of `edge_vc.compress`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("teacher", {})
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise RecipeError(f"{path}: cannot be read ({reason})") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from error
    if not isinstance(table, dict):
        raise RecipeError(f"{path}: teacher = {table!r}: is a section, write [teacher]")
    try:
        return spec_from_table(table)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error
