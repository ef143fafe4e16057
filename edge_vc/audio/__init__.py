"""Read, write, measure and analyse audio; arrays are float32 ``[T]`` in [-1, 1].

>>> from edge_vc.audio import extract, read_audio
>>> samples = read_audio("speech.wav", 16_000)  # doctest: +SKIP
>>> extract(samples, ["log-mel", "f0"])["log_mel"].shape  # doctest: +SKIP
(80, 301)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_vc.audio.feature_set import FEATURES, FeatureSettings, extract
    from edge_vc.audio.features import (
        energy_db,
        istft,
        log_mel,
        mfcc,
        spectral_peaks,
        stft,
        with_deltas,
    )
    from edge_vc.audio.io import AudioError, read_audio, write_audio
    from edge_vc.audio.level import active_level_db, normalize_level
    from edge_vc.audio.pitch import Pitch, track_pitch
    from edge_vc.audio.voice_activity import speech_probabilities

__all__ = [
    "FEATURES",
    "AudioError",
    "FeatureSettings",
    "Pitch",
    "active_level_db",
    "energy_db",
    "extract",
    "istft",
    "log_mel",
    "mfcc",
    "normalize_level",
    "read_audio",
    "spectral_peaks",
    "speech_probabilities",
    "stft",
    "track_pitch",
    "with_deltas",
    "write_audio",
]

_MODULES = {
    "feature_set": ("FEATURES", "FeatureSettings", "extract"),
    "features": ("energy_db", "istft", "log_mel", "mfcc", "spectral_peaks", "stft", "with_deltas"),
    "io": ("AudioError", "read_audio", "write_audio"),
    "level": ("active_level_db", "normalize_level"),
    "pitch": ("Pitch", "track_pitch"),
    "voice_activity": ("speech_probabilities",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name on first access, and with it librosa or WORLD."""
    if name in _HOMES:
        return getattr(import_module(f"edge_vc.audio.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
