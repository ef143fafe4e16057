"""Parity of an INT8 graph with its float form, within limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.int8_difference import Int8Difference, Rendering, int8_difference
from edge_vc.audio.io import Samples
from edge_vc_export.errors import ParityError
from edge_vc_export.parity.open_stream import open_stream
from edge_vc_export.parity.trunk_output import trunk_output


@dataclass(frozen=True)
class Int8Limits:
    """Allowed difference of an INT8 graph from its float form."""

    least_snr_db: float = 25.0
    """Minimum SNR of the trunk's outputs."""
    largest_distance_db: float = 1.0
    """Maximum log-spectral distance of the waveforms."""
    largest_drift_db: float = 1.5
    """Maximum drop of the last ten seconds' SNR below that of the first ten."""


def check_int8(
    reference: str | Path,
    quantized: str | Path,
    audio: Samples,
    limits: Int8Limits | None = None,
) -> Int8Difference:
    """Stream ``audio`` ``[T]`` through a float graph and its INT8 form and compare.

    The trunk's outputs are compared by signal-to-noise ratio, the waveforms by log-spectral
    distance, and the last ten seconds with the first ten for drift: use audio whose end resembles
    its beginning. Raises `ParityError` with every figure that is beyond its limit.
    """
    streams = [open_stream(path, [trunk_output(path)]) for path in (reference, quantized)]
    truth, guess = (Rendering(*stream.run(audio)) for stream in streams)
    facts = streams[0].metadata
    found = int8_difference(truth, guess, sample_rate=facts.sample_rate, hop=facts.hop)
    if broken := _broken(found, limits or Int8Limits()):
        seconds = np.size(truth.waveform) / facts.sample_rate
        raise ParityError(f"{quantized}: {'; '.join(broken)}, over {seconds:.1f} s")
    return found


def _broken(found: Int8Difference, limits: Int8Limits) -> list[str]:
    """Return a message for every limit that is exceeded; NaN counts as exceeding it."""
    snr, distance = found.trunk_snr_db, found.lsd_db
    broken = []
    if not snr >= limits.least_snr_db:
        broken.append(f"trunk SNR is {snr:.1f} dB, allowed from {limits.least_snr_db:g}")
    if not distance <= limits.largest_distance_db:
        most = limits.largest_distance_db
        broken.append(f"log-spectral distance is {distance:.2f} dB, allowed up to {most:g}")
    if not found.drift_db <= limits.largest_drift_db:
        first, last = found.snr_first_db, found.snr_last_db
        most = limits.largest_drift_db
        broken.append(f"SNR falls from {first:.1f} to {last:.1f} dB, allowed by {most:g}")
    return broken
