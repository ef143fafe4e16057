"""What a machine made of a few seconds of speech, measured on the host."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_DISTANCE_DB = 3.0
"""Log-spectral distance between two machines up to which they sound the same.

Rounding alone can turn a decision over the voice's phase: from there on the SNR is low and the
sound equal. Two engines on one machine were 1.6 dB apart then, INT8 and fp32 0.3 dB (host).
"""
LARGEST_LEVEL_DB = 0.5


@dataclass(frozen=True)
class SpeechFigures:
    """One machine's output; None where it cannot be measured, or where nothing is compared."""

    seconds: float
    """Of the speech."""
    level_db: float
    """RMS of the active speech, in dBFS."""
    clipped_percent: float
    f0_hz: float | None
    """Median."""
    f0_correlation: float | None
    """Of log F0 with the source's."""
    snr_db: float | None = None
    """To the host's output, in dB; 200 for the same samples."""
    spectral_distance_db: float | None = None
    """Log-spectral distance from the host's output."""
    same_sound: bool = True
    """Whether level and spectral distance are within their limits of the host's."""
