"""The minimum library versions that a bundle requires."""

from __future__ import annotations

from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineError


def check_requirement(manifest: Manifest, library: str, version: str) -> None:
    """Raise `EngineError` if ``manifest.runtimes`` requires a later version of ``library``."""
    least = manifest.runtimes.get(library)
    if least and _numbers(version) < _numbers(least):
        raise EngineError(
            f"{manifest.name} needs {library} {least}, {version} is installed: "
            f"pip install '{library}>={least}'"
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
