"""Reference-free figures of converted audio, and its distance from a recording."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from edge_vc_runtime.samples import Samples

_FRAME_MS = 32
_FLOOR = 1e-10
"""Power below which a band counts as silence, -100 dBFS."""
_FULL = 0.999


@dataclass(frozen=True)
class OutputQuality:
    """Figures of a machine's output; None if undefined."""

    level_db: float | None
    """RMS, in dBFS."""
    peak_db: float | None
    clipped_percent: float
    """Percentage of samples at full scale."""
    noise_floor_db: float | None
    """Level of the quietest tenth of the frames."""
    spectral_distance_db: float | None
    """Log-spectral distance from the recorded output: mean over frames of the RMS over bands."""
    sha256: str
    """Hash of the samples: equal if two machines agree to the last bit."""


def output_quality(output: Samples, recorded: Samples, sample_rate: int) -> OutputQuality:
    """Measure an output ``[T]`` against the recorded one of the same length."""
    digest = hashlib.sha256(np.ascontiguousarray(output, "<f4").tobytes()).hexdigest()
    if not output.size or not np.isfinite(output).all():
        return OutputQuality(None, None, 0.0, None, None, digest)
    frame = max(1, sample_rate * _FRAME_MS // 1000)
    made, wanted = _frames(output, frame), _frames(recorded, frame)
    return OutputQuality(
        level_db=_db(float(np.square(output, dtype=np.float64).mean())),
        peak_db=_db(float(np.abs(output).max()) ** 2),
        clipped_percent=float(100 * (np.abs(output) >= _FULL).mean()),
        noise_floor_db=_noise_floor(made),
        spectral_distance_db=_spectral_distance(made, wanted),
        sha256=digest,
    )


def _frames(audio: Samples, frame: int) -> Samples:
    """Return ``[N, frame]``, without the remainder at the end."""
    return audio[: audio.size // frame * frame].reshape(-1, frame)


def _noise_floor(frames: Samples) -> float | None:
    if not len(frames):
        return None
    powers = np.sort(np.square(frames, dtype=np.float64).mean(1))
    return _db(float(powers[: max(1, len(powers) // 10)].mean()))


def _spectral_distance(made: Samples, wanted: Samples) -> float | None:
    if not len(made) or made.shape != wanted.shape or not np.isfinite(wanted).all():
        return None
    difference = _log_spectrum(made) - _log_spectrum(wanted)
    return float(np.sqrt(np.square(difference).mean(1)).mean())


def _log_spectrum(frames: Samples) -> np.ndarray:
    window = np.hanning(frames.shape[1])
    power = np.square(np.abs(np.fft.rfft(frames * window))) / np.square(window.sum())
    return np.asarray(10 * np.log10(power + _FLOOR))


def _db(power: float) -> float:
    return float(10 * np.log10(max(power, _FLOOR)))
