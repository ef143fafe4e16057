"""Figures of a machine's conversion of a few seconds of speech, measured on the host."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_DISTANCE_DB = 3.0
"""Log-spectral distance between two machines up to which they count as sounding the same.

Rounding alone can change a decision about the voice's phase: from then on the SNR is low although
the sound is equal. In such a case two engines on one machine differed by 1.6 dB, INT8 and fp32 by
0.3 dB (host).
"""
LARGEST_LEVEL_DB = 0.5


@dataclass(frozen=True)
class SpeechFigures:
    """Figures of one machine's output; None if not measurable or not compared."""

    seconds: float
    """Duration of the speech."""
    level_db: float
    """RMS of the active speech, in dBFS."""
    clipped_percent: float
    f0_hz: float | None
    """Median F0."""
    f0_correlation: float | None
    """Correlation of log F0 with the source's."""
    snr_db: float | None = None
    """SNR relative to the host's output, in dB; 200 for identical samples."""
    spectral_distance_db: float | None = None
    """Log-spectral distance from the host's output."""
    same_sound: bool = True
    """Whether level and spectral distance are within their limits relative to the host."""
