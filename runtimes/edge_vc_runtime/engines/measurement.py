"""The fastest engine and precision on this machine, measured once and valid until a change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from edge_vc_runtime.board_profile import user_folder
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.kind import LibraryVersion
from edge_vc_runtime.engines.registry import engine_kinds
from edge_vc_runtime.files.output_place import check_folder
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.schema.fields import FieldError, parse_object
from edge_vc_runtime.schema.records import from_json_value
from edge_vc_runtime.sysfs import cpu_model

_LIMIT = 1 << 20  # bytes of a file
_CLEAR_WIN = 0.9
"""A precision other than the bundle's own has to take less than this share of its time."""


@dataclass(frozen=True)
class EngineTiming:
    """Time per hop of one engine with one precision."""

    engine: str
    library: str
    version: str
    precision: str
    us_per_hop: float
    """Median, back to back."""


@dataclass(frozen=True)
class Measurement:
    """The result of `edge_vc_runtime.profiling.comparison`, and everything it depends on."""

    digest: str
    """SHA-256 of the bundle's manifest, which contains the hashes of all files."""
    cpu: str
    libraries: tuple[LibraryVersion, ...]
    threads: int
    created: str
    """UTC, ISO 8601."""
    timings: tuple[EngineTiming, ...]

    def best(self, default: str, precision: str | None = None) -> EngineTiming | None:
        """Return the fastest one with a precision, or the fastest of all.

        ``default`` is the bundle's own precision: if none is requested, another one has to be a
        tenth faster, because timings vary between runs.
        """
        named = [c for c in self.timings if c.precision == (precision or default)]
        best = min(named, key=lambda c: c.us_per_hop, default=None)
        if precision:
            return best
        limit = best.us_per_hop * _CLEAR_WIN if best else float("inf")
        others = [c for c in self.timings if c.us_per_hop < limit]
        return min(others, key=lambda c: c.us_per_hop, default=best)


def blank_measurement(manifest: Manifest, threads: int, root: Path = Path("/")) -> Measurement:
    """Return a measurement without timings: everything that one made now would depend on."""
    return Measurement(
        digest=hashlib.sha256(manifest.to_json()).hexdigest(),
        cpu=cpu_model(root) or "unknown",
        libraries=installed_libraries(),
        threads=threads,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        timings=(),
    )


def installed_libraries() -> tuple[LibraryVersion, ...]:
    """Return all installed engine libraries, without importing any."""
    return tuple(each for kind in engine_kinds().values() for each in kind.installed())


def save_measurement(made: Measurement, environment: Mapping[str, str] | None = None) -> Path:
    """Store a measurement and return its file; raises `OSError`."""
    place = _place(made, environment)
    place.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(place, json.dumps(asdict(made), indent=1) + "\n")


def check_store(environment: Mapping[str, str] | None = None) -> None:
    """Raise `OutputError` if a measurement could not be stored, before it is made."""
    check_folder(measurement_folder(environment))


def measurement_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder of measurements: ``$XDG_STATE_HOME/edge-vc``."""
    return user_folder("STATE", ".local/state", environment)


def load_measurement(
    now: Measurement, environment: Mapping[str, str] | None = None
) -> Measurement | None:
    """Return the stored measurement, None if there is none for the conditions in ``now``.

    ``now`` comes from `blank_measurement`. A file that cannot be read is ignored: measuring again
    replaces it.
    """
    try:
        with _place(now, environment).open("rb") as file:
            kept = from_json_value(Measurement, parse_object(file.read(_LIMIT)))
    except (OSError, FieldError):
        return None
    same = replace(kept, created=now.created, timings=())
    return kept if same == now and kept.timings else None


def _place(made: Measurement, environment: Mapping[str, str] | None) -> Path:
    """Return a file name that is unique to everything that a measurement depends on.

    Environments with other libraries, and machines that share a home folder, have separate files.
    """
    folder = measurement_folder(environment)
    key = json.dumps(asdict(replace(made, created="", timings=())), sort_keys=True)
    return folder / f"engine-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
