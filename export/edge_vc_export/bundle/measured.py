"""Measurements of an export on this machine, in a file beside the bundle, not inside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from edge_vc_export.bundle.release import Release
from edge_vc_export.parity.verify import verification_metrics
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.profiling.machine import read_machine
from edge_vc_runtime.version import __version__

SUFFIX = ".measured.json"


def measured_path(bundle: Path) -> Path:
    """Return the path of the measurements, e.g. ``voice.measured.json`` for ``voice.evc``."""
    return bundle.with_name(f"{bundle.stem}{SUFFIX}")


def write_measured(release: Release) -> Path:
    """Write speeds, differences and the machine beside the release's bundle.

    They vary between machines and runs; the bundle does not.
    """
    path = measured_path(release.path)
    said = {
        "bundle": release.path.name,
        "bundle_sha256": hashlib.sha256(release.path.read_bytes()).hexdigest(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "edge_vc": __version__,
        "machine": asdict(read_machine()),
        "int8_speedup": {name: asdict(speed) for name, speed in release.speedup.items()},
        "verification": verification_metrics(release.verification),
    }
    return write_whole(path, json.dumps(said, indent=1) + "\n")
