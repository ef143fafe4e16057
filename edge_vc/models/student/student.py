"""The student: a small causal network that converts live audio hop by hop."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from edge_vc.models.student.conditioning import (
    FILM,
    Modulation,
    PitchControl,
    condition_size,
    spread,
    with_breath,
)
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.frontend import Frontend
from edge_vc.models.student.head import HEADS, Prediction
from edge_vc.models.student.inputs import trunk_inputs
from edge_vc.models.student.pitch import build_pitch
from edge_vc.models.student.trunk import build_trunk
from edge_vc.nn import ConditionedLayer, Inputs, Serial, State
from edge_vc.nn.layer import branch, join_state

__all__ = ["Prediction", "Student"]


class Student(ConditionedLayer):
    """Audio ``[B, 1, 1, T]`` in any voice to audio of the same length in the target's voice.

    ``frontend``, ``pitch`` and ``head`` stay float; ``trunk`` maps ``[B, mels, 1, F]`` to
    ``[B, outputs, 1, F]`` and is the part that is pruned and quantised. `inputs`, if the
    configuration declares any, may change from step to step.
    """

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.frontend = Frontend(config)
        self.trunk = build_trunk(config)
        self.head = HEADS[config.head](config)
        self.pitch = build_pitch(config) if config.head == "source-filter" else None
        self.inputs = {spec.name: spec.default for spec in config.inputs}
        self._add_conditioning(config)
        whole = Serial(self.frontend, self.trunk, self.head)
        self.block, self.ratio, self.delay = whole.block, whole.ratio, whole.delay

    def _add_conditioning(self, config: StudentConfig) -> None:
        """Add the parts that only declared inputs need."""
        voices = self.inputs.get("voice", ()) if config.phase == "fixed" else ()
        moves = {"pitch", "intonation"} & self.inputs.keys()
        self.modulation = Modulation(config) if condition_size(config) else None
        self.control = PitchControl(config) if moves else None
        # Difference of each voice's harmonic phase from the head's, [voices, bands].
        phases = torch.zeros(len(voices), config.bands)
        self.voice_phase = nn.Parameter(phases) if voices else None

    def init_state(self, batch: int) -> State:
        """Return the states of the parts."""
        parts = {
            "frontend": self.frontend.init_state(batch),
            "trunk": self.trunk.init_state(batch),
        }
        if self.pitch is not None:
            parts["pitch"] = self.pitch.init_state(batch)
        if self.control is not None:
            parts["control"] = self.control.init_state(batch)
        return join_state(**parts, head=self.head.init_state(batch))

    def step(self, x: Tensor, state: State, inputs: Inputs | None = None) -> tuple[Tensor, State]:
        """Convert ``x`` ``[B, 1, 1, T]``, ``T`` in whole hops; `delay` samples late.

        ``inputs`` are constant or change from frame to frame; missing ones have their defaults.
        """
        prediction, front = self._predict(x, state, inputs)
        audio, head = self.head.sound(prediction, branch(state, "head"))
        return audio, front | join_state(head=head)

    def predict(self, audio: Tensor, inputs: Inputs | None = None) -> Prediction:
        """Return the prediction for every frame of ``audio`` ``[B, 1, 1, T]``, from silence."""
        return self._predict(audio, self.init_state(audio.shape[0]), inputs)[0]

    def condition(self, inputs: Inputs | None, mels: Tensor) -> Tensor | None:
        """Return the trunk's condition ``[B, E, 1, F]`` for ``mels``; None if it has none."""
        parts = [
            spread(self.input(inputs, spec.name, mels), mels)
            for spec in trunk_inputs(self.config.inputs)
        ]
        return torch.cat(parts, dim=1) if parts else None

    def features(self, mels: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the trunk's output for normalised log-mels ``[B, mels, 1, F]``, from silence."""
        return self._trunk(mels, condition, self.trunk.init_state(mels.shape[0]))[0]

    def film(self, condition: Tensor | None) -> dict[str, Tensor]:
        """Return the trunk's inputs; empty for a trunk that takes none."""
        if self.modulation is None or condition is None:
            return {}
        return {FILM: self.modulation(condition)}

    def read_head(
        self, features: Tensor, condition: Tensor | None, inputs: Inputs | None = None
    ) -> Prediction:
        """Predict the head's controls from ``features``, with the phase of the requested ``voice``.

        ``condition`` is what `condition` returned for ``inputs``.
        """
        prediction = self.head.predict(features)
        if self.voice_phase is None or condition is None:
            return prediction
        voice = spread(self.input(inputs, "voice", features), features)
        phase = functional.conv2d(voice, self.voice_phase.T[:, :, None, None])
        own = self.head.get_parameter("phase")[None, :, None, None]
        return replace(prediction, phase=phase + own)

    def log_f0(self, mels: Tensor, condition: Tensor | None = None) -> Tensor | None:
        """Return the predicted natural log F0 ``[B, 1, 1, F]`` from silence, None without any."""
        if self.pitch is None:
            return None
        predicted: Tensor = self.pitch(_joined(mels, condition))
        return predicted

    def synthesize(
        self, prediction: Prediction, f0: Tensor | None = None, voicing: Tensor | None = None
    ) -> Tensor:
        """Synthesise a prediction from silence: audio ``[B, 1, 1, F * hop]``.

        ``f0`` in Hz and ``voicing`` in 0..1, both ``[B, 1, 1, F]``, drive the source instead of
        the predicted ones, for instance a teacher's in training. F0 carries no gradient.
        """
        state = self.head.init_state(prediction.features.shape[0])
        return self.head.sound(prediction, state, f0, voicing)[0]

    def _predict(
        self, audio: Tensor, state: State, inputs: Inputs | None
    ) -> tuple[Prediction, State]:
        self.check_block(audio)
        mels, frontend = self.frontend.step(audio, branch(state, "frontend"))
        condition = self.condition(inputs, mels)
        features, trunk = self._trunk(mels, condition, branch(state, "trunk"))
        prediction = self.read_head(features, condition, inputs)
        parts = {"frontend": frontend, "trunk": trunk}
        if self.pitch is not None:
            signal = _joined(mels, condition)
            log_f0, parts["pitch"] = self.pitch.step(signal, branch(state, "pitch"))
            prediction = replace(prediction, log_f0=log_f0)
        prediction, control = self._controlled(prediction, branch(state, "control"), inputs)
        return prediction, join_state(**parts, control=control)

    def _trunk(self, mels: Tensor, condition: Tensor | None, state: State) -> tuple[Tensor, State]:
        if isinstance(self.trunk, ConditionedLayer):
            return self.trunk.step(mels, state, self.film(condition))
        return self.trunk.step(mels, state)

    def _controlled(
        self, prediction: Prediction, state: State, inputs: Inputs | None
    ) -> tuple[Prediction, State]:
        """Apply the inputs that act on the controls of the head."""
        bands, log_f0, voicing = prediction.bands, prediction.log_f0, prediction.voicing
        if "breath" in self.inputs:
            decibels = spread(self.input(inputs, "breath", bands), bands)
            prediction = with_breath(prediction, decibels)
        if self.control is None or log_f0 is None or voicing is None:
            return prediction, {}
        wanted = [
            spread(self.input(inputs, name, log_f0), log_f0)
            if name in self.inputs
            else torch.full_like(log_f0, neutral)
            for name, neutral in (("pitch", 0.0), ("intonation", 1.0))
        ]
        signal = torch.cat([log_f0, voicing.sigmoid(), *wanted], dim=1)
        log_f0, state = self.control.step(signal, state)
        return replace(prediction, log_f0=log_f0), state

    @property
    def algorithmic_latency_ms(self) -> float:
        """One hop to fill plus the look-ahead of the layers, in milliseconds."""
        return (self.config.hop + self.delay) / self.config.sample_rate * 1000

    def count_parameters(self) -> int:
        """Return the number of trained values, including batch norms."""
        return sum(parameter.numel() for parameter in self.parameters())

    def trunk_parameters(self) -> int:
        """Return the number of weights that are quantised: the trunk's convolutions."""
        return sum(p.numel() for p in self.trunk.parameters() if p.dim() == 4)

    def macs_per_second(self) -> float:
        """Return the multiply-accumulates per second, including Fourier and mel matrices.

        Counted over the products of one hop as executed; element-wise operations are left out.
        """
        student = copy.deepcopy(self).eval()  # batch norms update their statistics in training
        hop = torch.zeros(1, 1, 1, self.config.hop)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            student.cpu().step(hop, self.init_state(1))
        return float(counter.get_total_flops()) / 2 * self.config.sample_rate / self.config.hop


def _joined(mels: Tensor, condition: Tensor | None) -> Tensor:
    return mels if condition is None else torch.cat([mels, condition], dim=1)
