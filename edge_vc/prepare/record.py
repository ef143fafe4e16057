"""The record of one prepared recording, stored as JSON so that later runs can skip it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.fingerprint import Fingerprint
from edge_vc.prepare.settings import PrepareError
from edge_vc_runtime.files.writing import write_whole


@dataclass(frozen=True)
class Piece:
    """One segment of a recording, kept or not."""

    path: str
    """Its path, relative to the prepared corpus; empty if it was dropped."""
    start: float
    """Start within the recording, in seconds."""
    seconds: float
    reason: str = ""
    """Why it was dropped, in a word or two; empty if it was kept."""
    detail: str = ""
    """Details of the reason."""
    level_before_db: float = 0.0
    level_after_db: float = 0.0
    """Active speech level, dBFS."""
    snr_before_db: float = 0.0
    snr_after_db: float = 0.0
    speech_share: float = 0.0
    clipped_share: float = 0.0
    words: str = ""
    """Fingerprint, base64 of little-endian 32-bit words."""
    f0_counts: tuple[int, ...] = ()
    """Voiced frames per bin of `edge_vc.prepare.measures.F0_EDGES_HZ`."""
    spectrum_db: tuple[float, ...] = ()
    """Mean power per band of `edge_vc.prepare.measures.BAND_EDGES_HZ`."""
    variants: tuple[str, ...] = ()
    """Paths of its augmented copies."""
    variant_seconds: tuple[float, ...] = ()
    """Durations of the copies."""
    sha256: tuple[str, ...] = ()
    """Hashes of the files: its own, then those of its copies."""

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of its files, relative to the prepared corpus."""
        return (self.path, *self.variants) if self.path else ()

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint, words ``[frames]``."""
        return np.frombuffer(base64.b64decode(self.words), dtype="<u4").astype(np.uint32)


@dataclass(frozen=True)
class PrepareRecord:
    """One recording and its pieces."""

    source: str
    """Path relative to the input folder."""
    key: str
    """Hash of inputs and settings; with another key, the recording is prepared again."""
    seconds: float
    content: str
    """sha256 of the decoded samples: equal for a WAV and a FLAC made from it."""
    pieces: tuple[Piece, ...]
    error: str = ""
    """Why it could not be read; there are no pieces then."""


def file_hash(path: Path) -> str:
    """Return the sha256 of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def encode_words(words: Fingerprint) -> str:
    """Return a fingerprint as text."""
    return base64.b64encode(words.astype("<u4").tobytes()).decode()


def record_path(folder: Path, source: str) -> Path:
    """Return the path of the record of ``source``, which may have any name of any length."""
    return folder / f"{hashlib.sha256(os.fsencode(source)).hexdigest()[:24]}.json"


def save_record(folder: Path, record: PrepareRecord) -> None:
    """Write a record atomically."""
    path = record_path(folder, record.source)
    text = json.dumps(asdict(record), separators=(",", ":"))
    write_text(path, text)


def load_record(folder: Path, source: str, key: str) -> PrepareRecord | None:
    """Return the record of ``source`` made with ``key``; None if there is no usable one."""
    path = record_path(folder, source)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        pieces = tuple(_piece(fields) for fields in stored.pop("pieces"))
        record = PrepareRecord(pieces=pieces, **stored)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None  # Not ours, or from another version: prepare it again.
    return record if record.key == key and record.source == source else None


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: a kill leaves either the old or the new one."""
    try:
        write_whole(path, text)
    except OSError as error:
        raise PrepareError(f"{path}: not written: {error.strerror}") from error


def _piece(fields: dict[str, object]) -> Piece:
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return Piece(**{**fields, **lists})  # type: ignore[arg-type]  # checked by the key
