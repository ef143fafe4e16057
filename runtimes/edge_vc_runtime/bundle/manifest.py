"""The manifest of a bundle: geometry, models, hashes, licence and provenance."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field

from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object
from edge_vc_runtime.version import __version__

FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.sig"
MANIFEST_LIMIT = 1 << 20
"""Largest manifest in bytes."""
FILE_LIMIT = 1 << 30
"""Largest file in bytes."""
FILE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""File names are flat: without folders no name can point outside."""

FORMATS = ("onnx", "tflite")
PRECISIONS = ("fp32", "fp16", "int8", "dynamic-int8")
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_VERSION = r"\d{1,6}(\.\d{1,6}){0,3}([.+-]?[A-Za-z0-9.+-]{1,32})?"
_COUNT = 1 << 40


class BundleError(Exception):
    """A bundle that cannot be used; the message is one line with the file and the reason."""


@dataclass(frozen=True)
class StateSpec:
    """One state tensor: graph input ``state.<name>``, graph output ``next.<name>``."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True)
class ModelEntry:
    """One form of the model."""

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

    The file holds the arrays ``input [N]`` and ``output.<precision> [N]``, float32; outputs are the
    graphs' own, starting from zero state, `Manifest.delay` samples late.
    """

    file: str
    tolerance: Mapping[str, float]
    """Largest absolute difference allowed per precision."""


@dataclass(frozen=True)
class FileEntry:
    """Hash (hexadecimal) and size in bytes of one file."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """All metadata of a bundle; the runtime reads every size from here."""

    name: str
    version: str
    sample_rate: int
    """Hz."""
    hop: int
    """Samples per step."""
    delay: int
    """Look-ahead in samples: output ``t`` corresponds to input ``t - delay``."""
    states: tuple[StateSpec, ...]
    models: tuple[ModelEntry, ...]
    default: str
    """File of the model that runs unless another precision is requested."""
    files: Mapping[str, FileEntry]
    licence: str
    consent: str
    """How the owner of the voice gave consent."""
    golden: Golden | None = None
    runtimes: Mapping[str, str] = field(default_factory=lambda: {"onnxruntime": "1.17"})
    """Least version of each runtime that can load the models."""
    boards: tuple[str, ...] = ("*",)
    metrics: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def algorithmic_ms(self) -> float:
        """Latency of the graph alone: one hop to collect plus the look-ahead."""
        return (self.hop + self.delay) / self.sample_rate * 1000

    def model(
        self, precision: str | None = None, formats: Collection[str] | None = None
    ) -> ModelEntry:
        """Return the default model, or the one of a precision and of one of the ``formats``.

        Where only formats are given, the default model's precision comes first. Raises
        `BundleError` when the bundle has none.
        """
        entries = [m for m in self.models if formats is None or m.format in formats]
        wanted = [m for m in entries if precision in (None, m.precision)]
        if not wanted:
            have = ", ".join(f"{m.precision} ({m.format})" for m in self.models)
            asked = " ".join(filter(None, (precision, " or ".join(formats or ()))))
            raise BundleError(f"{self.name}: has no {asked} model, only {have}")
        default = next((m.precision for m in self.models if m.file == self.default), None)
        same = [m for m in wanted if m.precision == default] or wanted
        return next((m for m in same if m.file == self.default), same[0])

    def to_json(self) -> bytes:
        """Return the canonical bytes: sorted keys, and ``digest`` over all the rest."""
        document = asdict(self) | {"digest": _BLANK}
        text = json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n"
        blank = text.encode()
        return blank.replace(_BLANK.encode(), hashlib.sha256(blank).hexdigest().encode(), 1)

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Parse an untrusted manifest; raises `BundleError` for anything invalid."""
        if len(data) > MANIFEST_LIMIT:
            raise BundleError(
                f"{MANIFEST_NAME}: {len(data)} bytes, at most {MANIFEST_LIMIT} are allowed"
            )
        try:
            return _read(data)
        except FieldError as error:
            raise BundleError(f"{MANIFEST_NAME}: {error}") from error


_BLANK = "0" * 64


def _read(data: bytes) -> Manifest:
    fields = Fields(parse_object(data))
    version = fields.integer("format_version", 1, 1_000_000)
    if version > FORMAT_VERSION:
        raise FieldError(
            f"format_version is {version}, runtime {__version__} reads up to {FORMAT_VERSION}: "
            "update edge-vc-runtime"
        )
    _check_digest(data, fields.text("digest", r"[0-9a-f]{64}", 64))
    manifest = Manifest(
        format_version=version,
        name=fields.text("name", _NAME, 64),
        version=fields.text("version", _VERSION, 64),
        sample_rate=fields.integer("sample_rate", 4000, 192_000),
        hop=fields.integer("hop", 1, 192_000),
        delay=fields.integer("delay", 0, 1_920_000),
        states=tuple(_state(state) for state in fields.children("states", 1024)),
        models=tuple(_model(model) for model in fields.children("models", 16)),
        default=fields.text("default", FILE_NAME, 100),
        golden=fields.optional("golden", _golden),
        runtimes=_texts(fields.child("runtimes"), _VERSION),
        boards=_boards(fields),
        licence=fields.text("licence", limit=200),
        consent=fields.text("consent"),
        metrics=_numbers(fields.child("metrics")),
        provenance=fields.child("provenance").rest(),
        files=_files(fields.child("files")),
    )
    fields.done()
    _check_references(manifest)
    return manifest


def _check_digest(data: bytes, digest: str) -> None:
    """Check the manifest's own hash; the manifest in turn holds the hash of every file."""
    blank = data.replace(digest.encode(), _BLANK.encode(), 1)
    if not hmac.compare_digest(hashlib.sha256(blank).hexdigest(), digest):
        raise FieldError("does not match its own digest: damaged or edited by hand")


def _state(fields: Fields) -> StateSpec:
    name = fields.text("name", r"[A-Za-z0-9_.]+", 200)
    shape: list[int] = []
    for size in fields.items("shape", 8):
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 1 << 20:
            raise FieldError(f"states: {name} has the size {size!r:.40}, sizes are 1 to {1 << 20}")
        shape.append(size)
    state = StateSpec(name, tuple(shape), fields.choice("dtype", ("float32",)))
    fields.done()
    return state


def _model(fields: Fields) -> ModelEntry:
    model = ModelEntry(
        file=fields.text("file", FILE_NAME, 100),
        format=fields.choice("format", FORMATS),
        precision=fields.choice("precision", PRECISIONS),
        tier=fields.text("tier", _NAME, 32),
        parameters=fields.integer("parameters", 0, _COUNT),
        macs_per_second=fields.number("macs_per_second", 0, float(1 << 50)),
        quantization=fields.optional("quantization", Fields.rest),
    )
    fields.done()
    return model


def _golden(fields: Fields) -> Golden:
    tolerance = _numbers(fields.child("tolerance"), low=0.0)
    golden = Golden(fields.text("file", FILE_NAME, 100), tolerance)
    fields.done()
    return golden


def _files(fields: Fields) -> dict[str, FileEntry]:
    files: dict[str, FileEntry] = {}
    for name, entry in _pairs(fields, FILE_NAME):
        files[name] = FileEntry(
            sha256=entry.text("sha256", r"[0-9a-f]{64}", 64),
            size=entry.integer("size", 0, FILE_LIMIT),
        )
        entry.done()
    return files


def _pairs(fields: Fields, pattern: str) -> list[tuple[str, Fields]]:
    return [(_key(fields, key, pattern), fields.child(key)) for key in fields.names()]


def _key(fields: Fields, key: str, pattern: str) -> str:
    return Fields({"key": key}, fields.path(key)).text("key", pattern, 200)


def _texts(fields: Fields, pattern: str) -> dict[str, str]:
    return {_key(fields, key, _NAME): fields.text(key, pattern, 100) for key in fields.names()}


def _numbers(fields: Fields, low: float = -1e300) -> dict[str, float]:
    return {key: fields.number(key, low, 1e300) for key in fields.names()}


def _boards(fields: Fields) -> tuple[str, ...]:
    boards = fields.items("boards", 64)
    names = [board for board in boards if isinstance(board, str) and 0 < len(board) <= 64]
    if len(names) != len(boards) or not names:
        raise FieldError('boards has to be a list of board names, or ["*"]')
    return tuple(names)


def _check_references(manifest: Manifest) -> None:
    files = [model.file for model in manifest.models]
    if manifest.default not in files:
        raise FieldError(
            f"default is {manifest.default!r}, models has {', '.join(files) or 'none'}"
        )
    if manifest.golden:
        files.append(manifest.golden.file)
    for file in files:
        if file not in manifest.files:
            raise FieldError(f"files does not list {file!r}")
    for name in (MANIFEST_NAME, SIGNATURE_NAME):
        if name in manifest.files:
            raise FieldError(f"files lists {name!r}, which never lists itself")
    names = [state.name for state in manifest.states]
    if len(set(names)) != len(names):
        raise FieldError("states has a name twice")
    if manifest.hop > manifest.sample_rate:
        raise FieldError(f"hop is {manifest.hop} samples, more than one second")
