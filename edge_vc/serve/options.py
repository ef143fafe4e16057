"""Settings of a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8765


@dataclass(frozen=True)
class ServeOptions:
    """Settings of one server."""

    host: str = LOOPBACK
    """Address to listen on; anything but loopback needs the token."""
    port: int = DEFAULT_PORT
    """TCP port; 0 takes a free one."""
    names: tuple[str, ...] = ()
    """Further names by which browsers may address the server."""
    cert: Path | None = None
    """Certificate chain (PEM) for https, with `key`."""
    key: Path | None = None
    connections: int = 2
    """Microphones converted at the same time, and also recordings converted at the same time."""
    upload_mb: int = 100
    """Largest recording in MB."""
    minutes: float = 30.0
    """Longest recording in minutes."""
    engine: str = "auto"

    @property
    def secure(self) -> bool:
        """Whether the page is served over https."""
        return self.cert is not None
