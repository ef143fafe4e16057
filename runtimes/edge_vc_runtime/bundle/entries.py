"""The entries of a manifest: states, models, files and the golden recording, with their parsers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_vc_runtime.schema.fields import LINE, FieldError, Fields

FILE_LIMIT = 1 << 30
"""Largest file in bytes."""
FILE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""File names are flat: without folders, no name can point outside the bundle."""

FORMATS = ("onnx", "tflite")
PRECISIONS = ("fp32", "fp16", "int8", "dynamic-int8")
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""Names of bundles, tiers and libraries."""
_COUNT = 1 << 40
_FULL_SCALE = 1.0
"""Largest tolerance of a golden output: with a larger one, anything would pass."""


@dataclass(frozen=True)
class StateSpec:
    """One state tensor: graph input ``state.<name>``, graph output ``next.<name>``."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class ModelEntry:
    """One variant of the model: a format and a precision."""

    file: str
    format: str
    """``onnx`` or ``tflite``."""
    precision: str
    """``fp32``, ``fp16`` or ``int8``."""
    tier: str
    parameters: int
    macs_per_second: float
    """Multiply-accumulates per second of audio."""
    quantization: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Golden:
    """A recorded input and the output of each precision.

    The file holds the arrays ``input [N]`` and ``output.<precision> [N]``, float32; outputs are
    those of the graphs, starting from zero state and delayed by `Manifest.delay` samples.
    """

    file: str
    tolerance: Mapping[str, float]
    """Largest absolute difference allowed per precision."""


@dataclass(frozen=True)
class FileEntry:
    """Hash (hexadecimal) and size in bytes of one file."""

    sha256: str
    size: int


def read_state(fields: Fields) -> StateSpec:
    """Read one entry of ``states``; raises `FieldError`."""
    name = fields.text("name", r"[A-Za-z0-9_.]+", 200)
    shape: list[int] = []
    for size in fields.items("shape", 8):
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 1 << 20:
            raise FieldError(f"states: {name} has the size {size!r:.40}, sizes are 1 to {1 << 20}")
        shape.append(size)
    state = StateSpec(name, tuple(shape), fields.choice("dtype", ("float32",)))
    fields.done()
    return state


def read_tier_name(fields: Fields, key: str) -> str:
    """Read the name of a tier; raises `FieldError`."""
    return fields.text(key, NAME, 32)


def read_model(fields: Fields) -> ModelEntry:
    """Read one entry of ``models``; raises `FieldError`."""
    model = ModelEntry(
        file=fields.text("file", FILE_NAME, 100),
        format=fields.choice("format", FORMATS),
        precision=fields.choice("precision", PRECISIONS),
        tier=read_tier_name(fields, "tier"),
        parameters=fields.integer("parameters", 0, _COUNT),
        macs_per_second=fields.number("macs_per_second", 0, float(1 << 50)),
        quantization=fields.optional("quantization", Fields.rest),
    )
    fields.done()
    return model


def read_golden(fields: Fields) -> Golden:
    """Read ``golden``; raises `FieldError`."""
    allowed = fields.child("tolerance")
    tolerance = {name: allowed.number(name, 0.0, _FULL_SCALE) for name in allowed.names()}
    if not tolerance:
        raise FieldError("golden.tolerance is empty: nothing could be compared")
    golden = Golden(fields.text("file", FILE_NAME, 100), tolerance)
    fields.done()
    return golden


def read_files(fields: Fields) -> dict[str, FileEntry]:
    """Read ``files``, hash and size by name; raises `FieldError`."""
    files: dict[str, FileEntry] = {}
    for name, entry in _pairs(fields, FILE_NAME):
        files[name] = FileEntry(
            sha256=entry.text("sha256", r"[0-9a-f]{64}", 64),
            size=entry.integer("size", 0, FILE_LIMIT),
        )
        entry.done()
    return files


def _pairs(fields: Fields, pattern: str) -> list[tuple[str, Fields]]:
    return [(read_key(fields, key, pattern), fields.child(key)) for key in fields.names()]


def read_key(fields: Fields, key: str, pattern: str) -> str:
    """Return a key that matches ``pattern`` in full; raises `FieldError`."""
    return Fields({"key": key}, fields.path(key)).text("key", pattern, 200)


def read_numbers(fields: Fields) -> dict[str, float]:
    """Read an object of numbers within 1e300, with single-line keys; raises `FieldError`."""
    return {
        read_key(fields, key, LINE): fields.number(key, -1e300, 1e300) for key in fields.names()
    }
