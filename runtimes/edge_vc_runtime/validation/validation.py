"""A bundle validated on a machine: every engine, precision and tier on its golden recording."""

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
    """Largest absolute difference from the recording; None where the output is not finite."""
    tolerance: float
    snr_db: float | None
    """Recording over difference; None without a difference."""
    quality: OutputQuality

    @property
    def key(self) -> tuple[str, str, str]:
        """What is compared with the same of another machine."""
        return self.engine, self.precision, self.tier


@dataclass(frozen=True)
class Validation:
    """What a machine makes of a bundle's golden recordings; JSON in and out."""

    bundle: str
    digest: str
    """SHA-256 of the manifest: the same bundle has the same."""
    machine: str
    """The board's name, else the processor."""
    models: tuple[ValidatedModel, ...]
    speech: SpeechFigures | None = None
    """Of a board that the host has had convert speech."""
    schema_version: int = SCHEMA_VERSION

    @property
    def passed(self) -> bool:
        """Whether every model is within its tolerance, there is one, and speech sounds the same."""
        within = bool(self.models) and all(model.equal for model in self.models)
        return within and (self.speech is None or self.speech.same_sound)

    def to_json(self) -> str:
        """Return it as JSON, without NaN."""
        return json.dumps(asdict(self), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, data: bytes) -> Validation:
        """Read it, as hostile input; raises `FieldError`."""
        return from_json_value(cls, parse_object(data))


def validate_bundle(bundle: Bundle, engine: str = "auto", threads: int = 1) -> Validation:
    """Replay every golden recording; raises `BundleError` without one, `EngineError`."""
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
