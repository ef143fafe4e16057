"""Named sets of features of one recording, as arrays to store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.features import energy_db, log_mel, mfcc, spectral_peaks, stft, with_deltas
from edge_vc.audio.io import AudioError, Samples
from edge_vc.audio.pitch import track_pitch

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class FeatureSettings:
    """Frame and feature sizes; lengths in samples."""

    sample_rate: int = 16_000
    window: int = 512
    hop: int = 160
    """Distance between frames; frame ``n`` is centred on sample ``n * hop``."""
    bands: int = 80
    """Mel bands of ``log_mel``."""
    coefficients: int = 13
    """Cepstral coefficients, not counting slopes and curvatures."""
    peaks: int = 5
    """Spectral peaks per frame."""


@dataclass(frozen=True)
class Feature:
    """One kind of feature."""

    name: str
    """Name on the command line."""
    arrays: str
    """Its arrays with shapes and units, for help and documentation."""
    compute: Callable[[Samples, FeatureSettings], Arrays]


def _stft(samples: Samples, s: FeatureSettings) -> Arrays:
    return {"stft": stft(samples, s.window, s.hop)}


def _log_mel(samples: Samples, s: FeatureSettings) -> Arrays:
    return {"log_mel": log_mel(samples, s.sample_rate, s.window, s.hop, s.bands)}


def _mfcc(samples: Samples, s: FeatureSettings) -> Arrays:
    cepstrum = mfcc(samples, s.sample_rate, s.window, s.hop, s.coefficients)
    return {"mfcc": with_deltas(cepstrum)}


def _energy(samples: Samples, s: FeatureSettings) -> Arrays:
    return {"energy_db": energy_db(samples, s.window, s.hop)}


def _peaks(samples: Samples, s: FeatureSettings) -> Arrays:
    hertz, level = spectral_peaks(samples, s.sample_rate, s.window, s.hop, s.peaks)
    return {"peak_hz": hertz, "peak_db": level}


def _f0(samples: Samples, s: FeatureSettings) -> Arrays:
    return {"f0_hz": track_pitch(samples, s.sample_rate, s.hop).f0}


_ALL = (
    Feature("stft", "stft [window / 2 + 1, frames], complex", _stft),
    Feature("log-mel", "log_mel [bands, frames], dB", _log_mel),
    Feature("mfcc", "mfcc [3 x coefficients, frames]: values, slopes, curvatures", _mfcc),
    Feature("energy", "energy_db [frames], dBFS", _energy),
    Feature("peaks", "peak_hz [peaks, frames], Hz; peak_db [peaks, frames], dBFS", _peaks),
    Feature("f0", "f0_hz [frames], Hz, 0 where unvoiced", _f0),
)
FEATURES: Mapping[str, Feature] = MappingProxyType({feature.name: feature for feature in _ALL})
"""Every feature by name."""


def feature_names(text: str) -> tuple[str, ...]:
    """Return the comma-separated names in ``text``; raises `AudioError` for an unknown one."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in FEATURES:
            raise AudioError(f"feature {name!r} is not one of {', '.join(FEATURES)}")
    return names


def extract(
    samples: Samples, names: Sequence[str], settings: FeatureSettings | None = None
) -> Arrays:
    """Return the arrays of the named features of ``[T]``, and the sizes they were computed with.

    Every array has ``T // hop + 1`` frames in its last axis and float32 values, except ``stft``,
    which is complex64. ``sample_rate``, ``window`` and ``hop`` are integers. Raises `AudioError`
    for an unknown name and for audio that is not mono or has no samples.
    """
    settings = settings or FeatureSettings()
    arrays: Arrays = {
        key: np.array(getattr(settings, key)) for key in ("sample_rate", "window", "hop")
    }
    for name in feature_names(",".join(names)):
        arrays |= FEATURES[name].compute(samples, settings)
    return arrays
