"""Sound back ends by name. To add one: a file with its `BackendKind`, and its name in `BACKENDS`.

A separate distribution calls `register_backend`, or declares its `BackendKind` as an entry point in
the group `ENTRY_POINTS`.
"""

from __future__ import annotations

from edge_vc_runtime.devices.backend import Backend
from edge_vc_runtime.devices.error import DeviceError
from edge_vc_runtime.devices.kind import BackendKind
from edge_vc_runtime.devices.pyaudio_backend import PYAUDIO
from edge_vc_runtime.devices.sounddevice_backend import SOUNDDEVICE
from edge_vc_runtime.registry import Registry

ENTRY_POINTS = "edge_vc.backends"
"""Entry point group in which other distributions declare their `BackendKind`."""

BACKENDS: Registry[BackendKind] = Registry("a back end", ENTRY_POINTS, (PYAUDIO, SOUNDDEVICE))
"""Registered back ends by name, the preferred one first. `backend_kinds` adds those from entry
points."""
register_backend = BACKENDS.register
unregister_backend = BACKENDS.unregister
backend_kinds = BACKENDS.complete


def describe_backends() -> str:
    """Return the names with descriptions, in one line for help; reads entry points."""
    return ", ".join(f"{kind.name} ({kind.usage})" for kind in backend_kinds().values())


def open_backend(name: str = "auto", latency_ms: float | None = None) -> Backend:
    """Import a back end and open it; ``auto`` is the first that is installed.

    ``latency_ms`` is requested from the card, None leaves it to the back end. Raises `DeviceError`
    for an unknown name, a missing library, or a back end that cannot set a latency.
    """
    if name != "auto":
        return _open(_kind(name), latency_ms)
    reasons: dict[str, DeviceError] = {}
    for known in (lambda: dict(BACKENDS), backend_kinds):  # entry points only if none opens
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
    kind = BACKENDS.find(name)
    if kind is None:
        raise DeviceError(f"no back end {name!r:.60}, choose from auto, {', '.join(BACKENDS)}")
    return kind
