"""Choice of microphone and loudspeaker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeviceChoice:
    """The devices, by the user's names; None: the system's default."""

    input: str | None = None
    output: str | None = None
    input_rate: int | None = None
    """Hz; None: the card's own."""
    output_rate: int | None = None
    buffer_ms: float | None = None
    """Length of one loudspeaker callback; None: suitable for a card or a sound server."""
    buffer_factor: int = 1
    """Factor by which it is lengthened."""
