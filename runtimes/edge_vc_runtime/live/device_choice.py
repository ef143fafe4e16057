"""Which microphone and which loudspeaker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceChoice:
    """Which devices, as the user names them; None: the system's default."""

    input: str | None = None
    output: str | None = None
    input_rate: int | None = None
    """Hz; None: the card's own."""
    output_rate: int | None = None
    buffer_ms: float | None = None
    """Audio of one callback of the loudspeaker; None: what suits a card or a sound server."""
    buffer_factor: int = 1
    """By how much it is made longer."""
