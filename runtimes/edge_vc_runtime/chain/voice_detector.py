"""Voice activity detection, every few milliseconds, from periodicity and level.

Voiced speech is periodic at 75 to 400 Hz; fans, breath and keys are not. A word may also begin with
a fricative: noise that is nearly as loud as the speech, unlike breath, and sustained, unlike a key.
No event has an effect for longer than two seconds.
"""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.chain.history import SampleHistory
from edge_vc_runtime.chain.level_floor import LevelFloor
from edge_vc_runtime.samples import Samples

_WORK_HZ = 4000  # approximate rate for the analysis of periodicity
_FRAME_MS = 32.0
_LEVEL_MS = 10.0
_EVERY_MS = 5.0  # shorter hops are analysed together
_F0_HZ = (75.0, 400.0)
_EMPHASIS = np.float32(0.9)  # without low frequencies, fan noise is not periodic
_TINY = 1e-12  # power of -120 dBFS
_NOTHING = 1e-20  # prevents division by zero

_VOICED = 0.6
_PERIODIC_MS = 20.0  # to begin a word, and at least two frames
_STILL_VOICED = 0.5
_STILL_MS = 150.0
_SURE_MS = 50.0  # longer voicing determines the speech level
_VOICED_SNR_DB = 6.0
_DECAY_DB = 4.0  # a sound that decays by more from its peak is an impact, not speech
_LASTING_MS = 50.0
_LASTING_RANGE_DB = 15.0
_STEADY_RANGE_DB = 9.0  # level range of a fricative that begins a word; keys vary more
_CONSONANT_SNR_DB = 10.0
_CONSONANT_MS = 300.0  # without voice, at most
_CREAK_MS = 1000.0  # as loud as the speech, at most
_LOUD_BELOW_DB = 12.0  # below the speech: may begin a word
_SOFT_BELOW_DB = 22.0  # below the speech: only inside a word
_FIRST_SPEECH_DB = -24.0  # before any speech
_FIRST_FLOOR_DB = -60.0
_HIGHEST_FLOOR_DB = -35.0


class VoiceDetector:
    """Decides for every hop whether it contains speech; costs a few small matrix products."""

    def __init__(self, sample_rate: int, hop: int) -> None:
        self.level_db = -120.0
        """Level of the last 10 ms in dBFS."""
        self.floor_db = _FIRST_FLOOR_DB
        """Background level."""
        self.speech_db = _FIRST_SPEECH_DB
        """Speech level, slowly tracking."""
        self.periodicity = 0.0
        """0 to 1: the largest correlation with the signal one period earlier."""
        self.voiced = False
        """Whether the last frame is voiced speech."""
        self.speech = False
        """Whether the last frame is speech, voiced or a consonant."""
        self._hops = max(1, math.ceil(_EVERY_MS / 1000 * sample_rate / hop))
        self._interval_s = self._hops * hop / sample_rate
        self._level_samples = max(hop, round(_LEVEL_MS / 1000 * sample_rate))
        self._ms = 1000 * self._interval_s
        self._pending = 0
        self._settled_ms = self._noise_ms = self._voiced_s = self._voice_ms = 0.0
        self._since_voiced_ms = _CREAK_MS
        self._periodic_ms = 0.0
        self._allocate(sample_rate, hop)

    def _allocate(self, sample_rate: int, hop: int) -> None:
        factor = max(1, round(sample_rate / _WORK_HZ))
        rate = sample_rate / factor
        lags = math.ceil(rate / _F0_HZ[0])
        frame = round(_FRAME_MS / 1000 * rate)
        tail = frame - lags
        self._factor = factor
        self._mean = np.full(factor, 1 / factor, np.float32)
        self._slow: Samples = np.zeros(frame + 1, np.float32)
        self._work: Samples = np.zeros(frame, np.float32)
        self._square: Samples = np.zeros(frame, np.float32)
        first = int(rate / _F0_HZ[1])
        self._now = self._work[lags:]
        self._earlier = self._work[:-first]
        self._earlier_squares = self._square[:-first]
        self._ones = np.ones(tail, np.float32)
        needed = (frame + 1) * factor
        self._history = SampleHistory(max(needed, self._level_samples), hop)
        self._needed = needed
        self._noise = LevelFloor(self._interval_s)
        self._recent = [-120.0] * max(1, math.ceil(_LASTING_MS / 1000 / self._interval_s))

    def step(self, audio: Samples, threshold_db: float) -> bool:
        """Take a hop of high-passed audio; return whether it contains speech.

        ``threshold_db``: level in dBFS below which nothing is speech.
        """
        self._history.push(audio)
        self._pending += 1
        if self._pending < self._hops:
            return self.speech
        self._pending = 0
        self._measure_level()
        snr_db = self.level_db - self.floor_db
        loud = self.level_db > threshold_db
        self.periodicity = self._measure_periodicity() if loud and snr_db > 4.0 else 0.0
        self.voiced = self._decide_voiced(snr_db)
        consonant = loud and self._decide_consonant(snr_db)
        self._since_voiced_ms = 0.0 if self.voiced else self._since_voiced_ms + self._ms
        self._voice_ms = self._voice_ms + self._ms if self.voiced else 0.0
        if self._voice_ms > _SURE_MS:
            self._follow_speech()
        self.speech = self.voiced or consonant
        return self.speech

    def _measure_level(self) -> None:
        recent = self._history.last(self._level_samples)
        power = float(recent.dot(recent)) / self._level_samples
        floor = self._noise.update(power)
        self.level_db = 10 * math.log10(power + _TINY)
        highest = _HIGHEST_FLOOR_DB if self._settled_ms > 1500 else _FIRST_FLOOR_DB
        self._settled_ms += self._ms
        # The minimum of noise is below its mean, by 2 dB with this smoothing.
        self.floor_db = min(10 * math.log10(floor + _TINY) + 2.0, highest)
        self._recent.append(self.level_db)
        del self._recent[0]

    def _measure_periodicity(self) -> float:
        frame = self._history.last(self._needed).reshape(-1, self._factor)
        np.dot(frame, self._mean, out=self._slow)
        np.multiply(self._slow[:-1], -_EMPHASIS, out=self._work)
        self._work += self._slow[1:]
        np.multiply(self._work, self._work, out=self._square)
        match = np.correlate(self._earlier, self._now, "valid")
        energy = np.correlate(self._earlier_squares, self._ones, "valid")
        energy *= self._now.dot(self._now)
        energy += np.float32(_NOTHING)
        np.sqrt(energy, out=energy)
        match /= energy
        return float(match[match.argmax()])  # max() takes ten times as long to call

    def _decide_voiced(self, snr_db: float) -> bool:
        periodic = self.periodicity > _VOICED
        long = self._periodic_ms >= max(_PERIODIC_MS - self._ms, self._ms)
        self._periodic_ms = self._periodic_ms + self._ms if periodic else 0.0
        if snr_db < _VOICED_SNR_DB:
            return False
        rising = self.level_db > max(self._recent) - _DECAY_DB
        if periodic and long and rising:
            return True
        return self.periodicity > _STILL_VOICED and self._since_voiced_ms < _STILL_MS

    def _decide_consonant(self, snr_db: float) -> bool:
        """Return whether it is a fricative, or voice too creaky to be periodic: loud, sustained."""
        lowest, highest = min(self._recent), max(self._recent)
        loud = lowest > self.speech_db - _LOUD_BELOW_DB
        soft = lowest > self.speech_db - _SOFT_BELOW_DB
        lasting = highest - lowest < _LASTING_RANGE_DB and snr_db > _CONSONANT_SNR_DB
        if not lasting or not soft:
            self._noise_ms = max(0.0, self._noise_ms - self._ms)
            return False
        self._noise_ms += self._ms
        if loud and self._since_voiced_ms < _CREAK_MS:
            return True
        if self._since_voiced_ms < _CONSONANT_MS:
            return True
        return loud and highest - lowest < _STEADY_RANGE_DB and self._noise_ms < _CONSONANT_MS

    def _follow_speech(self) -> None:
        way = self.level_db - self.speech_db
        self._voiced_s += self._interval_s
        time_s = min(0.2 if way > 0 else 1.0, self._voiced_s)
        self.speech_db += way * min(1.0, self._interval_s / time_s)

    def reset(self) -> None:
        """Return to the initial state."""
        self._history.clear()
        self._noise.reset()
        self._pending = 0
        self._settled_ms = self._noise_ms = self._voiced_s = self._voice_ms = 0.0
        self._since_voiced_ms = _CREAK_MS
        self._periodic_ms = 0.0
        self.voiced = self.speech = False
        self._recent[:] = [-120.0] * len(self._recent)
        self.level_db, self.floor_db = -120.0, _FIRST_FLOOR_DB
        self.speech_db = _FIRST_SPEECH_DB
        self.periodicity = 0.0
