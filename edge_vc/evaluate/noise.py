"""Noise added to the source recordings: babble of other speakers, and speech-shaped noise.

Both are generated from the corpus with a seed derived from the sentence's name, so every system
gets the same noise in every run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.audio.level import active_level_db, normalize_level
from edge_vc.data.utterance import Utterance
from edge_vc.settings.optional import EvaluationError

KINDS = ("babble", "shaped")
VOICES = 6
"""Simultaneous speakers in babble, if the corpus has that many."""
_WINDOW = 512
_PEAK = 0.99


@dataclass(frozen=True)
class Condition:
    """Noise condition of the source recordings."""

    kind: str = ""
    """``babble``, ``shaped``, or empty for the clean recordings."""
    snr_db: float = 0.0

    @property
    def name(self) -> str:
        """The condition's name in tables."""
        return f"{self.kind} {self.snr_db:g} dB" if self.kind else "clean"


CLEAN = Condition()


def conditions(noise_db: float | None) -> tuple[Condition, ...]:
    """Return the clean condition and, if an SNR is given, both noises at that SNR."""
    if noise_db is None:
        return (CLEAN,)
    if not -20.0 <= noise_db <= 60.0:
        raise EvaluationError(f"noise at {noise_db:g} dB; give an SNR from -20 to 60 dB")
    return (CLEAN, *(Condition(kind, noise_db) for kind in KINDS))


class NoiseMaker:
    """Adds noise to recordings; babble is mixed from the speakers in ``voices``."""

    def __init__(self, voices: tuple[Utterance, ...], sample_rate: int) -> None:
        self._voices, self._rate = voices, sample_rate

    def apply(self, condition: Condition, utterance: Utterance, samples: Samples) -> Samples:
        """Return ``[T]`` with noise at the condition's SNR, relative to active speech."""
        if not condition.kind:
            return samples
        rng = np.random.default_rng(_seed(condition.kind, utterance))
        make = self._babble if condition.kind == "babble" else self._shaped
        noise = make(rng, utterance, samples.size)
        level = active_level_db(samples, self._rate)
        power = float(np.square(noise).mean())
        mixed = samples + noise * np.sqrt(10 ** ((level - condition.snr_db) / 10) / power)
        peak = float(np.abs(mixed).max())
        return np.asarray(mixed * min(1.0, _PEAK / peak), dtype=np.float32)

    def _babble(
        self, rng: np.random.Generator, utterance: Utterance, length: int
    ) -> NDArray[np.float64]:
        """Sum equally loud sentences of other speakers, each from a random start."""
        others = sorted({u.speaker for u in self._voices} - {utterance.speaker})
        if not others:
            raise EvaluationError(
                f"{utterance.path}: babble needs a speaker other than {utterance.speaker}; "
                "evaluate without noise or add speakers to the corpus"
            )
        babble = np.zeros(length)
        for speaker in rng.permutation(others)[:VOICES]:
            sentences = [u for u in self._voices if u.speaker == speaker]
            voice = sentences[int(rng.integers(len(sentences)))].read(self._rate)
            voice = np.roll(normalize_level(voice, self._rate), -int(rng.integers(voice.size)))
            babble += np.resize(voice, length)
        return babble

    def _shaped(
        self, rng: np.random.Generator, utterance: Utterance, length: int
    ) -> NDArray[np.float64]:
        """Shape white noise with the mean spectrum of the corpus's speakers."""
        spectrum = np.fft.rfft(rng.standard_normal(length))
        places = np.linspace(0, 1, spectrum.size)
        shape = np.interp(places, np.linspace(0, 1, self._spectrum.size), self._spectrum)
        shaped: NDArray[np.float64] = np.fft.irfft(spectrum * shape, length)
        return shaped

    @cached_property
    def _spectrum(self) -> NDArray[np.float64]:
        """Mean magnitudes ``[bins]`` over each speaker's first sentence."""
        first = {u.speaker: u for u in reversed(self._voices)}
        powers = [
            _mean_power(normalize_level(first[speaker].read(self._rate), self._rate))
            for speaker in sorted(first)
        ]
        return np.asarray(np.sqrt(np.mean(powers, axis=0)))


def _mean_power(samples: Samples) -> NDArray[np.float64]:
    padded = np.pad(samples.astype(np.float64), (0, _WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[:: _WINDOW // 2]
    spectra = np.fft.rfft(frames * np.hanning(_WINDOW))
    return np.asarray(np.square(np.abs(spectra)).mean(axis=0))


def _seed(kind: str, utterance: Utterance) -> int:
    name = f"{kind}:{utterance.speaker}:{utterance.utt_id}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
