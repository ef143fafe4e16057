"""Validation of a bundle on a machine: its golden recording with all engines and models."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from dataclasses import asdict, dataclass

from edge_vc_runtime.board_profile import find_board
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.golden import Replay, played_goldens
from edge_vc_runtime.schema.fields import parse_object
from edge_vc_runtime.schema.records import from_json_value
from edge_vc_runtime.validation.quality import OutputQuality, output_quality
from edge_vc_runtime.validation.speech_figures import SpeechFigures

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ValidatedModel:
    """One engine with one model of the bundle."""

    engine: str
    version: str
    precision: str
    tier: str
    equal: bool
    """Whether it is within the bundle's tolerance."""
    difference: float | None
    """Largest absolute difference from the recording; None if the output is not finite."""
    tolerance: float
    snr_db: float | None
    """Recorded output relative to the difference; None if there is none."""
    quality: OutputQuality

    @property
    def key(self) -> tuple[str, str, str]:
        """Key for comparison with the same model on another machine."""
        return self.engine, self.precision, self.tier


@dataclass(frozen=True)
class Validation:
    """A machine's results for a bundle's golden recordings; convertible to and from JSON."""

    bundle: str
    digest: str
    """SHA-256 of the manifest, which identifies the bundle."""
    machine: str
    """The board's name, otherwise the processor's."""
    models: tuple[ValidatedModel, ...]
    speech: SpeechFigures | None = None
    """Figures of a board on which the host had speech converted."""
    schema_version: int = SCHEMA_VERSION

    @property
    def passed(self) -> bool:
        """Whether there are models, all are within tolerance, and speech sounds the same."""
        within = bool(self.models) and all(model.equal for model in self.models)
        return within and (self.speech is None or self.speech.same_sound)

    def to_json(self) -> str:
        """Return the validation as JSON, without NaN."""
        return json.dumps(asdict(self), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, data: bytes) -> Validation:
        """Parse a validation as untrusted input; raises `FieldError`."""
        return from_json_value(cls, parse_object(data))


def validate_bundle(bundle: Bundle, engine: str = "auto", threads: int = 1) -> Validation:
    """Replay every golden recording; raises `BundleError` if there is none, `EngineError`."""
    board = find_board()
    return Validation(
        bundle=f"{bundle.manifest.name} {bundle.manifest.version}",
        digest=hashlib.sha256(bundle.content).hexdigest(),
        machine=board.name if board else platform.machine(),
        models=tuple(
            _model(replay, output_quality(output, recorded, bundle.manifest.sample_rate))
            for replay, output, recorded in played_goldens(bundle, engine, threads)
        ),
    )


def _model(replay: Replay, quality: OutputQuality) -> ValidatedModel:
    return ValidatedModel(
        engine=replay.engine,
        version=replay.version,
        precision=replay.precision,
        tier=replay.tier,
        equal=replay.equal,
        difference=replay.difference if math.isfinite(replay.difference) else None,
        tolerance=replay.tolerance,
        snr_db=replay.snr_db,
        quality=quality,
    )
