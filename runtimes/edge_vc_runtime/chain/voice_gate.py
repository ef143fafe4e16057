"""Silences the output, and suspends the model, while nobody speaks."""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.chain.history import SampleHistory
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.ramp import GainRamp
from edge_vc_runtime.chain.voice_detector import VoiceDetector
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.live.finite_guard import FiniteGuard
from edge_vc_runtime.samples import Samples

_HOLD_MS = 350.0
"""Hold time of the gate after the last speech, in addition to the model's delay."""
_WARM_UP_MS = 1000.0
"""Duration of input that the model always processes after a reset."""
_OPEN_MS = 3.0
_CLOSE_MS = 30.0


class VoiceGate:
    """A converter that is stepped only while somebody speaks; itself a `HopConverter`.

    While closed, the output is silence and the model's state is frozen: its adaptation, e.g. to the
    speaker's level, is kept for the next word. On opening, the most recent hops are fed first, the
    model's delay plus one more: this outputs the onset of the word without the delay, and flushes
    the end of the last word from the state. It costs these extra steps in one hop. After `reset`,
    the first second is always processed by the model, but not output if it is silence: a model
    without any input so far would take the first word for noise.

    ``lookahead`` (samples, a multiple of the hop) delays the audio after the detector, so that the
    gate is open before the onset; 0 adds no delay, but the time that the detector needs to detect a
    word, about 20 ms, can be missing from its beginning.
    """

    name = "voice gate"

    def __init__(self, converter: HopConverter, parameters: Parameters, lookahead: int = 0) -> None:
        self.converter = converter
        self.hop, self.sample_rate = converter.hop, converter.sample_rate
        self.detector = VoiceDetector(self.sample_rate, self.hop)
        self.hears_speech = False
        """Whether the last input hop contains speech; requires gate or level follow."""
        self.stepped = 0
        """Number of model steps since the start."""
        self.muted = 0
        """Number of hops with a non-finite conversion: silenced, and the model was reset."""
        self._parameters = parameters
        self._lookahead = lookahead
        self._back = math.ceil(converter.delay / self.hop) + 1
        self._passed = SampleHistory((self._back + 1) * self.hop + lookahead, self.hop)
        hold_ms = _HOLD_MS + 1000 * (converter.delay + lookahead) / self.sample_rate
        self._hold = math.ceil(hold_ms / 1000 * self.sample_rate / self.hop)
        self._opening = GainRamp(self.hop, self.sample_rate, 0.0, _OPEN_MS)
        self._closing = GainRamp(self.hop, self.sample_rate, 0.0, _CLOSE_MS / 3)
        self._silence = np.zeros(self.hop, np.float32)
        self._guard = FiniteGuard(self.hop)
        self._out = np.zeros(self.hop, np.float32)
        self._warm_up = math.ceil(_WARM_UP_MS / 1000 * self.sample_rate / self.hop)
        self._warm = self._warm_up
        self._left = self._missed = 0
        self.open = not parameters["gate"]
        """Whether the output passes."""

    @property
    def delay(self) -> int:
        """The model's delay and the look-ahead, in samples."""
        return self.converter.delay + self._lookahead

    def step(self, audio: Samples, rest: bool = False) -> Samples:
        """Convert ``[hop]`` if there is speech; ``rest`` closes the gate in any case."""
        self._passed.push(audio)
        self._decide(audio, rest)
        ramp = self._opening if self.open else self._closing
        if not self.open and ramp.value == 0.0:
            if self._warm and not rest:
                self._convert(0)
            else:
                self._missed = min(self._missed + 1, self._back)
            return self._silence
        for index in range(self._missed, 0, -1):
            self._convert(index)
        self._missed = 0
        converted = self._convert(0)
        faded = ramp.apply(converted, float(self.open), self._out)
        self._opening.value = self._closing.value = ramp.value
        return faded

    def _decide(self, audio: Samples, rest: bool) -> None:
        gated = bool(self._parameters["gate"])
        if gated or self._parameters["level_follow"]:
            self.hears_speech = self.detector.step(audio, self._parameters["gate_threshold"])
        if rest:
            self._left = 0
        elif self.hears_speech or not gated:
            self._left = self._hold
        elif self._left:
            self._left -= 1
        self.open = self._left > 0

    def _convert(self, hops_ago: int) -> Samples:
        audio = self._passed.last(self.hop, self._lookahead + hops_ago * self.hop)
        self.stepped += 1
        self._warm -= self._warm > 0
        converted = self.converter.step(audio)
        heard = self._guard.admit(converted, float(converted.dot(converted)))
        if heard is not None:
            return heard
        self.muted += 1
        self.converter.reset()
        return self._guard.silence()

    def reset(self) -> None:
        """Close the gate and reset the model to its initial state."""
        self.converter.reset()
        self.detector.reset()
        self._passed.clear()
        self._opening.reset()
        self._closing.reset()
        self.hears_speech = False
        self._left = self._missed = 0
        self._warm = self._warm_up
        self.open = not self._parameters["gate"]
