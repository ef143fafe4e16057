"""Outputs that are useless for training: silent, clipped, with speech lost or other speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.audio.level import active_level_db, frame_power

SILENT_DB = -60.0
"""Active level in dBFS below which an output counts as silent."""
CLIPPED_SHARE = 0.002
"""Share of samples at full scale from which an output counts as clipped."""
LOST_SHARE = 0.25
"""Share of the input's active frames that may be silent in the output."""
OTHER_LIKENESS = 0.3
"""Correlation of the energies below which the output is not what was said."""

_FULL_SCALE = 0.999
_FRAME_SECONDS = 0.02
_ACTIVE_DB = 25.0
_GONE_DB = 45.0
_SMEAR_FRAMES = 2


class OutlierError(ValueError):
    """An output that is left out; ``reason`` is one of `REASONS`, the message has the figure."""

    def __init__(self, reason: str, fact: str) -> None:
        super().__init__(f"{reason}: {fact}")
        self.reason = reason
        self.fact = fact


REASONS = {
    "wrong length": "the output is not as long as the input",
    "wrong rate": "the output is not at the rate that the teacher's settings state",
    "not a number": "the output contains NaN or infinite samples",
    "drift": "the output falls behind, runs ahead or is stretched as the recording goes on",
    "silent input": "the recording contains no speech",
    "silent": "the output contains no speech",
    "clipped": "the output reaches full scale",
    "speech lost": "parts of what was said are missing from the output",
    "other speech": "the output does not follow what was said",
}
"""Why an output is left out."""


@dataclass(frozen=True)
class Soundness:
    """Measurements of one output."""

    level_db: float
    """Active level of the output, dBFS."""
    clipped: float
    """Share of its samples at full scale."""
    lost: float
    """Share of the input's active 20 ms frames that are silent in the output."""


def measure_soundness(source: Samples, output: Samples, sample_rate: int) -> Soundness:
    """Measure ``output`` ``[T]``, aligned with ``source`` ``[T]``."""
    frame = round(_FRAME_SECONDS * sample_rate)
    source_power, output_power = frame_power(source, frame), frame_power(output, frame)
    active = source_power >= _loud(source_power) * 10 ** (-_ACTIVE_DB / 10)
    # A frame's energy may be off by a frame or two: only longer gaps are lost speech.
    width = 2 * _SMEAR_FRAMES + 1
    padded = np.pad(output_power, _SMEAR_FRAMES, mode="edge")
    near = np.lib.stride_tricks.sliding_window_view(padded, width).max(axis=1)
    gone = near < _loud(output_power) * 10 ** (-_GONE_DB / 10)
    return Soundness(
        level_db=active_level_db(output, sample_rate),
        clipped=float((np.abs(output) >= _FULL_SCALE).mean()),
        lost=float(gone[active].mean()),
    )


def check_form(source: Samples, output: Samples, sample_rate: int) -> None:
    """Raise `OutlierError` for an output of another shape, or with NaN or infinite values."""
    if output.shape != source.shape:
        raise OutlierError("wrong length", length_fact(output.shape, source.shape, sample_rate))
    bad = int(np.count_nonzero(~np.isfinite(output)))
    if bad:
        raise OutlierError("not a number", f"{bad} of {output.size} samples are NaN or infinite")


def check_sound(soundness: Soundness, likeness: float) -> None:
    """Raise `OutlierError` for an output that is useless for training.

    ``likeness`` is the `band_correlation` of `edge_vc.labelling.delay`, after alignment.
    """
    if soundness.level_db < SILENT_DB:
        raise OutlierError("silent", f"active level {soundness.level_db:.0f} dBFS")
    if soundness.clipped > CLIPPED_SHARE:
        raise OutlierError("clipped", f"{100 * soundness.clipped:.2g} % of samples at full scale")
    if soundness.lost > LOST_SHARE:
        raise OutlierError("speech lost", f"{100 * soundness.lost:.0f} % of active frames silent")
    if likeness < OTHER_LIKENESS:
        raise OutlierError("other speech", f"energies correlate by {likeness:.2f} only")


def length_fact(output: tuple[int, ...], source: tuple[int, ...], sample_rate: int) -> str:
    """Describe the length of an output, and name the rate that it seems to be at if it differs."""
    fact = f"{list(output)} samples for {list(source)}"
    if len(output) == len(source) == 1 and source[0]:
        ratio = output[0] / source[0]
        for rate in (8000, 16000, 22050, 24000, 32000, 40000, 44100, 48000):
            if rate != sample_rate and abs(ratio * sample_rate / rate - 1) < 0.01:
                return f"{fact}, as if at {rate} Hz: set output_sample_rate = {rate}"
    return fact


def _loud(power: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(np.percentile(power, 95)) or float(power.max())
