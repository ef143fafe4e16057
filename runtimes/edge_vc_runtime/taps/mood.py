"""The tap ``mood``: a line of prosody per second."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from edge_vc_runtime.samples import Samples
from edge_vc_runtime.taps.kind import TapKind, TapOutput, TapSettings
from edge_vc_runtime.taps.prosody import Prosody, measure_prosody

_WINDOW_S = 3
"""Pitch range and rate need a few words; the energy is that of the last second."""


class MoodJob:
    """Measures once per second of audio; dropped audio counts as silence."""

    def __init__(self, sample_rate: int, output: TapOutput) -> None:
        self._rate = sample_rate
        self._output = output
        self._window = np.zeros(_WINDOW_S * sample_rate, np.float32)
        self._next = 0

    def take(self, position: int, audio: Samples) -> None:
        """Take ``[T]``."""
        gap = position - self._next
        if gap > 0:
            silence = min(gap, self._window.shape[0])
            self._next = position - silence
            self._add(np.zeros(silence, np.float32))
        self._add(audio)

    def finish(self) -> None:
        """Do nothing: every line was written when its second ended."""

    def _add(self, audio: Samples) -> None:
        done = 0
        while done < audio.shape[0]:
            room = self._rate - self._next % self._rate
            part = audio[done : done + room]
            self._window = np.concatenate([self._window[part.shape[0] :], part])
            self._next += part.shape[0]
            done += part.shape[0]
            if self._next % self._rate == 0:
                self._measure(self._next // self._rate)

    def _measure(self, second: int) -> None:
        heard = self._window[-min(second, _WINDOW_S) * self._rate :]
        made = measure_prosody(heard, self._rate)
        energy = measure_energy_db(self._window[-self._rate :])
        row = {name: _rounded(value) for name, value in asdict(made).items()}
        self._output.write(json.dumps({"t": second, **row, "energy_db": _rounded(energy)}) + "\n")
        if made.pitch_hz is not None:  # do not print every silent second on the terminal
            self._output.say(describe_prosody(second, made, energy))


def measure_energy_db(audio: Samples) -> float:
    """Return the RMS level of ``[T]`` in dBFS, -120 for silence."""
    return float(10 * np.log10(np.mean(audio.astype(np.float64) ** 2) + 1e-12))


def describe_prosody(second: int, made: Prosody, energy_db: float) -> str:
    """Return one line for a terminal."""
    rate = f"rate {made.syllables_per_s:.1f} syllables/s"
    pitch = f"pitch {made.pitch_hz or 0:.0f} Hz, range {made.pitch_range_st or 0:.1f} st"
    return f"{second:7.1f} s  mood  {pitch}, energy {energy_db:.0f} dB, {rate}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _check(settings: TapSettings) -> None:
    """Do nothing: only numpy is needed."""


def _open(settings: TapSettings, output: TapOutput) -> MoodJob:
    return MoodJob(settings.sample_rate, output)


MOOD = TapKind("mood", "pitch range, energy and speaking rate (JSON lines)", _check, _open)
