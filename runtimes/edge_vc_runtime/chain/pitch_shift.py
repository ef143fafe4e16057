"""Shifts the pitch of the converted voice.

Past audio is read at a different speed than it arrives, and whenever the read position gets too
close or falls too far behind, it jumps by whole periods, to where the waveform is most similar to
the one that it leaves (SOLA). Formants move with the pitch: a voice shifted up also sounds smaller.
"""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.chain.history import SampleHistory
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.ramp import GainRamp
from edge_vc_runtime.chain.sinc_reader import TAPS, SincReader
from edge_vc_runtime.samples import Samples

DELAY_MS = 10.0
"""Mean delay; the read position varies around it, within about 8 ms."""
_FADE_MS = 3.0
_JUMPS_MS = (2.5, 15.0)  # periods of 400 to 67 Hz
_BEFORE_MS, _BEHIND_MS = 6.0, 2.0  # the range compared around a read position


class PitchShift:
    """Shifts by the parameter ``pitch`` in semitones; 0 passes unchanged and without delay."""

    name = "pitch shift"

    def __init__(self, sample_rate: int, hop: int, parameters: Parameters) -> None:
        self._parameters = parameters
        self._hop = hop
        self._nominal, self._fade_length, self._low_jump, self._high_jump, before, behind = (
            round(ms / 1000 * sample_rate)
            for ms in (DELAY_MS, _FADE_MS, *_JUMPS_MS, _BEFORE_MS, _BEHIND_MS)
        )
        self._before, self._behind = before, behind
        reach = 2 * hop + 2 * self._fade_length + 4 * TAPS
        reach += 2 * self._high_jump + before + behind + self._nominal
        self._history = SampleHistory(reach, hop)
        self._reader = SincReader(hop)
        self._wet = GainRamp(hop, sample_rate, 0.0)
        self._fade: Samples = (np.arange(1, self._fade_length + 1) / self._fade_length).astype(
            np.float32
        )
        self._out = np.zeros(hop, np.float32)
        self._old = np.zeros(hop, np.float32)
        self._mixed = np.zeros(hop, np.float32)
        self.reset()

    @property
    def delay(self) -> int:
        """10 ms in samples, 0 while the pitch is not shifted."""
        return self._nominal if self._parameters["pitch"] else 0

    def step(self, audio: Samples) -> Samples:
        """Shift ``[hop]``."""
        self._history.push(audio)
        semitones = self._parameters["pitch"]
        if semitones == 0.0 and self._wet.value == 0.0:
            self._reading = False
            return audio
        if not self._reading:
            self._start()
        if semitones:  # while fading out, keep the last one
            self._ratio = 2.0 ** (semitones / 12)
        self._reader.set_ratio(self._ratio)
        done = 0
        while done < self._hop:
            done += self._read(self._hop - done, self._out[done:])
        wet = self._wet.advance(1.0 if semitones else 0.0)
        if wet is None:
            return self._out
        np.subtract(self._out, audio, out=self._mixed)
        self._mixed *= wet
        self._mixed += audio
        return self._mixed

    def _start(self) -> None:
        self._reading = True
        self._lag = float(self._nominal)
        self._faded = self._fade_length

    def _read(self, ahead: int, out: Samples) -> int:
        """Fill the beginning of ``out`` and return the number of samples.

        ``ahead`` samples from its beginning on have arrived. A lag is the distance of a read
        position behind the sample that an output without delay would have.
        """
        if self._faded == self._fade_length:
            count: int = min(self._jump(ahead), out.shape[0])
        if self._faded < self._fade_length:
            count = min(self._fade_length - self._faded, out.shape[0])
        out = out[:count]
        self._reader.read(self._history, self._lag + ahead, self._ratio, out)
        if self._faded < self._fade_length:
            old = self._old[:count]
            self._reader.read(self._history, self._old_lag + ahead, self._ratio, old)
            out -= old
            out *= self._fade[self._faded : self._faded + count]
            out += old
            self._old_lag -= (self._ratio - 1) * count
            self._faded += count
        self._lag -= (self._ratio - 1) * count
        return count

    def _jump(self, ahead: int) -> int:
        """Start a fade to another period if necessary; return samples until the next check."""
        speed = self._ratio - 1
        edge = TAPS // 2 + 2.0
        lowest = edge + max(0.0, speed) * (self._fade_length + 1)
        highest = max(lowest, self._behind + edge) + self._high_jump
        if speed > 0:
            room = (self._lag - lowest) / speed
            if room < 1:
                # Far enough that the fade does not exhaust it.
                least = max(self._low_jump, round(1.5 * speed * (self._fade_length + 1)))
                self._splice(ahead, self._lag + self._high_jump, self._lag + least)
        else:
            room = (highest - self._lag) / max(-speed, 1e-9)
            if room < 1:
                self._splice(ahead, self._lag - self._low_jump, self._lag - self._high_jump)
        return max(1, int(room))

    def _splice(self, ahead: int, farthest: float, closest: float) -> None:
        """Fade to the lag, between two limits, at which past and current waveform match best."""
        behind = min(self._behind, int(self._lag) + ahead)
        length = self._before + behind
        here = self._history.last(length, int(self._lag) + ahead - behind)
        count = round(farthest - closest) + 1
        delay = int(self._lag) + ahead - behind + round(closest - self._lag)
        there = self._history.last(length + count - 1, delay)
        match = np.correlate(there, here, "valid")
        sums = np.concatenate(([0.0], np.cumsum(there.astype(np.float64) ** 2)))
        energy = sums[length:] - sums[:-length]
        best = int(np.argmax(match / np.sqrt(energy + 1e-9)))
        self._old_lag = self._lag
        self._lag += round(closest - self._lag) + (count - 1 - best)
        self._faded = 0

    def reset(self) -> None:
        """Clear the history."""
        self._history.clear()
        self._wet.reset()
        self._reading = False
        self._ratio = 1.0
        self._lag = self._old_lag = 0.0
        self._faded = self._fade_length
