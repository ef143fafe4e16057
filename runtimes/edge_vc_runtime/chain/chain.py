"""The whole processing chain from microphone to output, at the model's sample rate.

input guard, high-pass, noise reduction | voice gate around the model | level follow, pitch,
equaliser, gain, limiter | mix with the dry voice, bypass | backing track
"""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.chain.backing_track import BackingTrack
from edge_vc_runtime.chain.dry_path import DryPath
from edge_vc_runtime.chain.equalizer import Equalizer
from edge_vc_runtime.chain.gain import Gain
from edge_vc_runtime.chain.high_pass import HighPass
from edge_vc_runtime.chain.level_follow import LevelFollow
from edge_vc_runtime.chain.limiter import Limiter
from edge_vc_runtime.chain.model_inputs import ModelInputs, all_parameters
from edge_vc_runtime.chain.noise_reduction import NoiseReduction
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.pitch_shift import PitchShift
from edge_vc_runtime.chain.ramp import GainRamp
from edge_vc_runtime.chain.stage import ChainStage
from edge_vc_runtime.chain.voice_gate import VoiceGate
from edge_vc_runtime.input_guard import InputGuard
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.samples import Samples

_MIX_FADE_MS = 20.0
_METER_S = 0.1
_ROOM_MS = 50.0  # more than the total delay of all stages


class Chain:
    """A converter with stages around it; itself a `HopConverter`.

    `parameters` may be written from any thread; every change is smoothed. NaN, infinity and values
    above full scale in the input are repaired and counted; a non-finite conversion is silenced and
    counted, and the model is reset.
    """

    def __init__(
        self,
        converter: HopConverter,
        parameters: Parameters | None = None,
        backing: BackingTrack | None = None,
        lookahead_ms: float = 0.0,
    ) -> None:
        """``lookahead_ms`` delays the signal so that the gate opens before a word begins."""
        self.parameters = parameters or Parameters(declared=all_parameters(converter))
        self.hop, self.sample_rate = converter.hop, converter.sample_rate
        self._relieved = False
        self.input_db = -120.0
        """Level of the input over the last 100 ms in dBFS."""
        rate, hop, values = self.sample_rate, self.hop, self.parameters
        lookahead = math.ceil(lookahead_ms / 1000 * rate / hop) * hop
        self.guard = InputGuard(hop)
        self.gate = VoiceGate(converter, values, lookahead)
        self._inputs = ModelInputs(converter, values, hop, rate)
        self._noise_reduction = NoiseReduction(rate, hop, values)
        self._pitch = PitchShift(rate, hop, values)
        self._level = LevelFollow(rate, hop, values, self.gate.delay)
        self._limiter = Limiter(rate, hop)
        self._last_limiter = Limiter(rate, hop)
        self._before: tuple[ChainStage, ...] = (HighPass(rate, hop), self._noise_reduction)
        self._after: tuple[ChainStage, ...] = (
            self._level,
            self._pitch,
            Equalizer(rate, hop, values),
            Gain(rate, hop, values),
            self._limiter,
        )
        self._backing = backing
        self._dry = DryPath(hop, self.gate.delay + round(_ROOM_MS / 1000 * rate))
        self._mix = GainRamp(hop, rate, self._mix_target(), _MIX_FADE_MS)
        self._meter = min(1.0, hop / rate / _METER_S)
        self._power = 0.0
        self._out = np.zeros(hop, np.float32)
        self.delay = self._present_delay()
        """Samples by which the output lags; grows while pitch or noise reduction is on."""

    def set_bypass(self, on: bool) -> None:
        """Force bypass, regardless of the parameter, when overloaded; False ends this."""
        self._relieved = on

    @property
    def added_delay(self) -> int:
        """The part of `delay` that is not due to the model."""
        return self.delay - self.gate.converter.delay

    @property
    def bypassed(self) -> bool:
        """Whether the microphone signal passes unconverted."""
        return self._relieved or bool(self.parameters["bypass"])

    @property
    def gate_open(self) -> bool:
        """Whether the converted voice passes."""
        return self.gate.open

    @property
    def reduction_db(self) -> float:
        """Gain reduction by the limiter, 0 or more."""
        return self._limiter.reduction_db + self._last_limiter.reduction_db

    @property
    def clipped(self) -> int:
        """Number of input samples above full scale, or not finite, since the start."""
        return self.guard.clipped

    @property
    def muted(self) -> int:
        """Number of hops with a non-finite conversion, detected by the gate or the session."""
        restarts: int = getattr(self.gate.converter, "restarts", 0)
        return self.gate.muted + restarts

    def step(self, audio: Samples) -> Samples:
        """Convert float32 ``[hop]``; the result is overwritten by the next step."""
        audio = self.guard.step(audio)
        self._measure(audio)
        self._dry.push(audio)
        self.delay = self._present_delay()
        self._inputs.follow()
        converted = self._convert(audio)
        mixed = self._mix_dry(converted)
        if self._backing is None:
            return mixed
        added = self._backing.add(mixed, self.delay, self.parameters, self._out)
        return self._last_limiter.step(added)

    def _convert(self, audio: Samples) -> Samples:
        for stage in self._before:
            audio = stage.step(audio)
        unheard = self._mix.value == 0.0 and self._mix_target() == 0.0
        converted = self.gate.step(audio, rest=unheard)
        self._level.listen(audio, self.gate.hears_speech and not unheard)
        for stage in self._after:
            converted = stage.step(converted)
        return converted

    def _mix_dry(self, converted: Samples) -> Samples:
        dry = self._dry.read(self.delay)
        line = self._mix.advance(self._mix_target())
        if line is None and self._mix.value in (0.0, 1.0):
            return converted if self._mix.value else dry
        np.subtract(converted, dry, out=self._out)
        self._out *= np.float32(self._mix.value) if line is None else line
        self._out += dry
        return self._out

    def _mix_target(self) -> float:
        return 0.0 if self.bypassed else self.parameters["mix"] / 100.0

    def _present_delay(self) -> int:
        return self.gate.delay + self._noise_reduction.delay + self._pitch.delay

    def _measure(self, audio: Samples) -> None:
        power = float(audio.dot(audio)) / self.hop
        self._power += (power - self._power) * self._meter
        self.input_db = 10 * math.log10(self._power + 1e-12)

    def reset(self) -> None:
        """Return to the initial state; parameters and counts are kept."""
        self.gate.reset()
        for stage in (*self._before, *self._after, self._last_limiter):
            stage.reset()
        self._dry.reset()
        if self._backing is not None:
            self._backing.reset()
        self._mix.value = self._mix_target()
        self._power = 0.0
        self.input_db = -120.0
        self.delay = self._present_delay()
