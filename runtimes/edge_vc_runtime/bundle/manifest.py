"""The manifest of a bundle: geometry, models, hashes, licence and provenance."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace

from edge_vc_runtime.bundle.description import VERSION, read_description
from edge_vc_runtime.bundle.entries import (
    FILE_NAME,
    NAME,
    FileEntry,
    Golden,
    ModelEntry,
    StateSpec,
    read_files,
    read_golden,
    read_key,
    read_model,
    read_numbers,
    read_state,
)
from edge_vc_runtime.bundle.input_reader import read_inputs
from edge_vc_runtime.bundle.input_spec import InputSpec
from edge_vc_runtime.bundle.references import check_references
from edge_vc_runtime.bundle.tier_entry import (
    MOST_TIERS,
    TierEntry,
    check_tier_names,
    read_tier,
)
from edge_vc_runtime.schema.fields import LINE, FieldError, Fields, parse_object
from edge_vc_runtime.version import __version__

SINGLE_VERSION, TIERED_VERSION, INPUTS_VERSION = 1, 2, 3
"""Manifest format for one student, readable by every runtime; for several `tiers`; and with
conditioning inputs, with or without tiers."""
FORMAT_VERSION = INPUTS_VERSION
"""The latest version supported here."""
MANIFEST_NAME = "manifest.json"
SIGNATURE_NAME = "manifest.sig"
MANIFEST_LIMIT = 1 << 20
"""Largest manifest in bytes."""


class BundleError(Exception):
    """A bundle that cannot be used; the message is one line with the file and the reason."""


@dataclass(frozen=True)
class Manifest:
    """All metadata of a bundle; the runtime takes every size from here."""

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
    """Minimum version of each runtime that can load the models."""
    boards: tuple[str, ...] = ("*",)
    metrics: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    format_version: int = SINGLE_VERSION
    """3 with `inputs`, 2 with `tiers`, otherwise 1: older runtimes report that they are too old."""
    tiers: tuple[TierEntry, ...] = ()
    """Further students with the same voice, hop and rate; other fields are the default tier's."""
    inputs: tuple[InputSpec, ...] = ()
    """Conditioning inputs of the default tier's graphs."""

    @property
    def default_tier(self) -> str:
        """Name of the tier that runs unless another is requested."""
        return next((m.tier for m in self.models if m.file == self.default), self.models[0].tier)

    @property
    def tier_names(self) -> tuple[str, ...]:
        """Names of all tiers, default first."""
        return (self.default_tier, *(tier.name for tier in self.tiers))

    def tier(self, name: str | None = None) -> Manifest:
        """Return the manifest of a single tier, the default one if ``name`` is None.

        Raises `BundleError` for an unknown tier.
        """
        if name in (None, self.default_tier):
            return replace(self, tiers=(), format_version=_version(self)) if self.tiers else self
        tier = next((tier for tier in self.tiers if tier.name == name), None)
        if tier is None:
            have = ", ".join(self.tier_names)
            raise BundleError(f"{self.name}: has no tier {name!r:.40}, only {have}")
        own = {key: getattr(tier, key) for key in _OF_A_TIER}
        return replace(self, tiers=(), format_version=_version(tier), **own)

    @property
    def algorithmic_ms(self) -> float:
        """Latency of the graph alone: one hop to collect plus the look-ahead."""
        return (self.hop + self.delay) / self.sample_rate * 1000

    def model(
        self, precision: str | None = None, formats: Collection[str] | None = None
    ) -> ModelEntry:
        """Return the default model, or the one with a precision and one of the ``formats``.

        If only formats are given, the default model's precision is preferred. Raises `BundleError`
        if the bundle has none.
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
        """Return the canonical bytes: sorted keys, and ``digest`` over everything else."""
        document = asdict(self) | {"digest": _BLANK}
        # A bundle of one student, or without inputs, stays byte-identical to the earlier format.
        for part in (document, *document["tiers"]):
            if not part["inputs"]:
                del part["inputs"]
        if not self.tiers:
            del document["tiers"]
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
_OF_A_TIER = (
    "delay", "states", "models", "default", "golden", "metrics", "provenance", "inputs",
)  # fmt: skip


def format_version(tiers: Collection[TierEntry], inputs: Collection[InputSpec]) -> int:
    """Return the format version that these require."""
    if inputs or any(tier.inputs for tier in tiers):
        return INPUTS_VERSION
    return TIERED_VERSION if tiers else SINGLE_VERSION


def _version(student: Manifest | TierEntry) -> int:
    """Return the format version of a manifest of this student alone."""
    return format_version((), student.inputs)


def _read(data: bytes) -> Manifest:
    fields = Fields(parse_object(data))
    version = fields.integer("format_version", 1, 1_000_000)
    if version > FORMAT_VERSION:
        raise FieldError(
            f"format_version is {version}, runtime {__version__} reads up to {FORMAT_VERSION}: "
            "update edge-vc-runtime"
        )
    _check_digest(data, fields.text("digest", r"[0-9a-f]{64}", 64))
    said = read_description(fields)
    manifest = Manifest(
        format_version=version,
        name=said.name,
        version=said.version,
        sample_rate=fields.integer("sample_rate", 4000, 192_000),
        hop=fields.integer("hop", 1, 192_000),
        delay=fields.integer("delay", 0, 1_920_000),
        states=tuple(read_state(state) for state in fields.children("states", 1024)),
        models=tuple(read_model(model) for model in fields.children("models", 16)),
        default=fields.text("default", FILE_NAME, 100),
        golden=fields.optional("golden", read_golden),
        runtimes=_texts(fields.child("runtimes"), VERSION),
        boards=_boards(fields),
        licence=said.licence,
        consent=said.consent,
        metrics=read_numbers(fields.child("metrics")),
        provenance=fields.child("provenance").rest(),
        files=read_files(fields.child("files")),
        inputs=read_inputs(fields) if version == INPUTS_VERSION else (),
        tiers=_tiers(fields, version),
    )
    fields.done()
    if version != format_version(manifest.tiers, manifest.inputs):
        raise FieldError(f"format_version is {version}, which is for tiers or inputs not there")
    _check_tiers(manifest)
    return manifest


def _tiers(fields: Fields, version: int) -> tuple[TierEntry, ...]:
    inputs = version == INPUTS_VERSION
    if version == SINGLE_VERSION or (inputs and "tiers" not in fields.names()):
        return ()
    tiers = tuple(read_tier(tier, inputs) for tier in fields.children("tiers", MOST_TIERS - 1))
    if not tiers:
        raise FieldError(f"tiers is empty, format_version {version} has at least one")
    return tiers


def _check_tiers(manifest: Manifest) -> None:
    """Check every tier individually, and that the tiers belong together."""
    if manifest.hop > manifest.sample_rate:
        raise FieldError(f"hop is {manifest.hop} samples, more than one second")
    for name in (MANIFEST_NAME, SIGNATURE_NAME):
        if name in manifest.files:
            raise FieldError(f"files lists {name!r}, which never lists itself")
    files = manifest.files
    check_references(manifest.default, manifest.models, manifest.golden, manifest.states, files)
    for tier in manifest.tiers:
        place = f"tiers: {tier.name}: "
        check_references(tier.default, tier.models, tier.golden, tier.states, files, place)
    check_tier_names(manifest.default_tier, manifest.tiers)
    if manifest.tiers and len({model.tier for model in manifest.models}) > 1:
        raise FieldError("models are of several tiers; each belongs under its own in tiers")


def _check_digest(data: bytes, digest: str) -> None:
    """Check the manifest's own hash; the manifest holds the hashes of all files."""
    blank = data.replace(digest.encode(), _BLANK.encode(), 1)
    if not hmac.compare_digest(hashlib.sha256(blank).hexdigest(), digest):
        raise FieldError("does not match its own digest: damaged or edited by hand")


def _texts(fields: Fields, pattern: str) -> dict[str, str]:
    return {read_key(fields, key, NAME): fields.text(key, pattern, 100) for key in fields.names()}


def _boards(fields: Fields) -> tuple[str, ...]:
    boards = fields.items("boards", 64)
    if not all(boards) or not boards:
        raise FieldError('boards has to be a list of board names, or ["*"]')
    return tuple(Fields({"boards": board}).text("boards", LINE, 64) for board in boards)
