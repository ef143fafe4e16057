"""Sound back ends by name. To add one: a file with its `BackendKind`, and a line in `BACKENDS`.

A distribution of its own calls `register_backend`, or names its `BackendKind` as an entry point of
the group `ENTRY_POINTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edge_vc_runtime.devices.backend import Backend
from edge_vc_runtime.devices.error import DeviceError
from edge_vc_runtime.devices.kind import BackendKind
from edge_vc_runtime.devices.pyaudio_backend import PYAUDIO
from edge_vc_runtime.devices.sounddevice_backend import SOUNDDEVICE
from edge_vc_runtime.entry_points import register_entry_points

ENTRY_POINTS = "edge_vc.backends"
"""Entry point group in which other distributions name their `BackendKind`."""

BACKENDS: dict[str, BackendKind] = {kind.name: kind for kind in (PYAUDIO, SOUNDDEVICE)}
"""Registered back ends by name, the preferred one first. `backend_kinds` adds those that entry
points name."""


def register_backend(kind: BackendKind) -> None:
    """Add a back end, the last in order; raises `ValueError` when another one has its name."""
    if BACKENDS.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"a back end {kind.name!r} is registered already, choose another name")


def unregister_backend(name: str) -> None:
    """Remove a back end; harmless when there is none of that name."""
    BACKENDS.pop(name, None)


def backend_kinds() -> Mapping[str, BackendKind]:
    """Return every back end by name, in order; reads entry points the first time."""
    register_entry_points(ENTRY_POINTS, register_backend)
    return MappingProxyType(BACKENDS)


def describe_backends() -> str:
    """Return the names with what they are, in one line for help; reads entry points."""
    return ", ".join(f"{kind.name} ({kind.usage})" for kind in backend_kinds().values())


def open_backend(name: str = "auto", latency_ms: float | None = None) -> Backend:
    """Import a back end and open it; ``auto`` is the first that is installed.

    ``latency_ms`` is asked of the card, None leaves it to the back end. Raises `DeviceError` for
    an unknown name, a missing library, or a back end that cannot set a latency.
    """
    if name != "auto":
        return _open(_kind(name), latency_ms)
    reasons: dict[str, DeviceError] = {}
    for known in (lambda: dict(BACKENDS), backend_kinds):  # entry points only where none opens
        for kind in known().values():
            if kind.name in reasons:
                continue
            try:
                return _open(kind, latency_ms)
            except DeviceError as error:
                reasons[kind.name] = error
    raise next(iter(reasons.values()))


def _open(kind: BackendKind, latency_ms: float | None) -> Backend:
    try:
        return kind.open(latency_ms)
    except (ImportError, OSError) as error:
        raise DeviceError(kind.missing(error)) from error


def _kind(name: str) -> BackendKind:
    kind = BACKENDS.get(name) or backend_kinds().get(name)
    if kind is None:
        raise DeviceError(f"no back end {name!r:.60}, choose from auto, {', '.join(BACKENDS)}")
    return kind
