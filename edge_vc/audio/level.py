"""Speech level: measured over active speech, normalised to a target with a peak limit."""

from __future__ import annotations

import numpy as np

from edge_vc.audio.io import Samples

SILENCE_DB = -100.0
"""Level of a silent recording, in dBFS."""

_FRAME_SECONDS = 0.02
_ACTIVE_RANGE_DB = 25.0


def active_level_db(samples: Samples, sample_rate: int) -> float:
    """Return the RMS level in dBFS of the active speech in ``[T]``.

    Frames of 20 ms within 25 dB of the loud ones (95th percentile) are active, so pauses do not
    count; a coarse form of ITU-T P.56. The result is `SILENCE_DB` for audio without any signal.
    """
    return _active_db(frame_power(samples, max(1, round(_FRAME_SECONDS * sample_rate))))


def _active_db(power: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    loud = float(np.percentile(power, 95)) or float(power.max())
    if loud <= 10 ** (SILENCE_DB / 10):
        return SILENCE_DB
    active = power[power >= loud * 10 ** (-_ACTIVE_RANGE_DB / 10)]
    return float(10 * np.log10(active.mean()))


def frame_power(samples: Samples, frame: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the mean square of consecutive frames of ``frame`` samples, the last one padded."""
    frames = max(1, -(-samples.shape[0] // frame))
    padded = np.zeros(frames * frame, dtype=np.float64)
    padded[: samples.shape[0]] = samples
    power: np.ndarray[tuple[int], np.dtype[np.float64]] = np.square(
        padded.reshape(frames, frame)
    ).mean(axis=1)
    return power


def normalize_level(
    samples: Samples, sample_rate: int, target_db: float = -26.0, peak_db: float = -1.0
) -> Samples:
    """Return ``[T]`` scaled so that its active speech has ``target_db`` dBFS.

    One gain applies to the whole recording; it is reduced if the peak would exceed ``peak_db``
    dBFS, so nothing clips. Silence is returned unchanged.
    """
    level_db = active_level_db(samples, sample_rate)
    peak = float(np.abs(samples).max(initial=0.0))
    return (samples * np.float32(level_gain(level_db, peak, target_db, peak_db))).astype(np.float32)


def level_gain(level_db: float, peak: float, target_db: float, peak_db: float = -1.0) -> float:
    """Return the factor that `normalize_level` applies to audio of this level and ``peak``."""
    if level_db <= SILENCE_DB:
        return 1.0
    return float(min(10 ** ((target_db - level_db) / 20), 10 ** (peak_db / 20) / peak))


class ActiveLevel:
    """Measures the level of a recording of any length by blocks; keeps 8 bytes per 20 ms."""

    def __init__(self, sample_rate: int) -> None:
        """Take a rate in Hz."""
        self._frame = max(1, round(_FRAME_SECONDS * sample_rate))
        self._rest = np.zeros(0, np.float32)
        self._powers: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
        self.peak = 0.0
        """Largest magnitude so far."""

    def push(self, block: Samples) -> None:
        """Take the next block ``[T]``."""
        heard = np.concatenate([self._rest, block])
        whole = len(heard) // self._frame * self._frame
        if whole:
            self._powers.append(frame_power(heard[:whole], self._frame))
        self._rest = heard[whole:]
        self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))

    @property
    def level_db(self) -> float:
        """Result of `active_level_db` for all blocks pushed so far."""
        last = [frame_power(self._rest, self._frame)] if len(self._rest) else []
        power = np.concatenate([*self._powers, *last, np.zeros(0)])
        return _active_db(power) if power.size else SILENCE_DB


def level_fall_db(samples: Samples, sample_rate: int) -> float:
    """Return the level range of ``[T]`` in dB, from the 95th to the 10th percentile.

    The percentiles are over frames of 20 ms; 0 for fewer than ten frames.
    """
    frame = sample_rate // 50
    whole = len(samples) // frame
    if whole < 10:
        return 0.0
    frames = samples[: whole * frame].reshape(whole, frame).astype(np.float64)
    levels = 10 * np.log10(np.square(frames).mean(1) + 1e-12)
    soft, loud = np.percentile(levels, (10, 95))
    return float(loud - soft)
