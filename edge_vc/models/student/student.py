"""The student: a small causal network that converts live audio hop by hop."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.frontend import Frontend
from edge_vc.models.student.head import HEADS, Prediction
from edge_vc.models.student.pitch import build_pitch
from edge_vc.models.student.trunk import build_trunk
from edge_vc.nn import Serial, State, StreamingLayer
from edge_vc.nn.layer import branch, join_state

__all__ = ["Prediction", "Student"]


class Student(StreamingLayer):
    """Audio ``[B, 1, 1, T]`` in any voice to audio of the same length in the target's.

    ``frontend``, ``pitch`` and ``head`` stay float; ``trunk`` maps ``[B, mels, 1, F]`` to
    ``[B, outputs, 1, F]`` and is what pruning and quantisation work on.
    """

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.frontend = Frontend(config)
        self.trunk = build_trunk(config)
        self.head = HEADS[config.head](config)
        self.pitch = build_pitch(config) if config.head == "source-filter" else None
        whole = Serial(self.frontend, self.trunk, self.head)
        self.block, self.ratio, self.delay = whole.block, whole.ratio, whole.delay

    def init_state(self, batch: int) -> State:
        """Return the states of the parts."""
        parts = {
            "frontend": self.frontend.init_state(batch),
            "trunk": self.trunk.init_state(batch),
        }
        if self.pitch is not None:
            parts["pitch"] = self.pitch.init_state(batch)
        return join_state(**parts, head=self.head.init_state(batch))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Convert ``x`` ``[B, 1, 1, T]``, ``T`` in whole hops; `delay` samples late."""
        prediction, front = self._predict(x, state)
        audio, head = self.head.sound(prediction, branch(state, "head"))
        return audio, front | join_state(head=head)

    def predict(self, audio: Tensor) -> Prediction:
        """Return what is predicted for every frame of ``audio`` ``[B, 1, 1, T]``, from silence."""
        return self._predict(audio, self.init_state(audio.shape[0]))[0]

    def synthesize(
        self, prediction: Prediction, f0: Tensor | None = None, voicing: Tensor | None = None
    ) -> Tensor:
        """Sound a prediction from silence: audio ``[B, 1, 1, F * hop]``.

        ``f0`` in Hz and ``voicing`` in 0..1, both ``[B, 1, 1, F]``, drive the source instead
        of the predicted ones: a teacher's, in training. F0 carries no gradient.
        """
        state = self.head.init_state(prediction.features.shape[0])
        return self.head.sound(prediction, state, f0, voicing)[0]

    def _predict(self, audio: Tensor, state: State) -> tuple[Prediction, State]:
        self.check_block(audio)
        mels, frontend = self.frontend.step(audio, branch(state, "frontend"))
        features, trunk = self.trunk.step(mels, branch(state, "trunk"))
        prediction, parts = self.head.predict(features), {"frontend": frontend, "trunk": trunk}
        if self.pitch is not None:
            log_f0, parts["pitch"] = self.pitch.step(mels, branch(state, "pitch"))
            prediction = replace(prediction, log_f0=log_f0)
        return prediction, join_state(**parts)

    @property
    def algorithmic_latency_ms(self) -> float:
        """One hop to fill plus the layers' look-ahead, in milliseconds."""
        return (self.config.hop + self.delay) / self.config.sample_rate * 1000

    def count_parameters(self) -> int:
        """Return the number of trained values, batch norms included."""
        return sum(parameter.numel() for parameter in self.parameters())

    def trunk_parameters(self) -> int:
        """Return the number of weights that are quantised: the trunk's convolutions."""
        return sum(p.numel() for p in self.trunk.parameters() if p.dim() == 4)

    def macs_per_second(self) -> float:
        """Return the multiply-accumulates of one second, Fourier and mel matrices included.

        Counted over the products of one hop as executed; element-wise work is left out.
        """
        student = copy.deepcopy(self).eval()  # batch norms learn from what they see in training
        hop = torch.zeros(1, 1, 1, self.config.hop)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            student.cpu().step(hop, self.init_state(1))
        return float(counter.get_total_flops()) / 2 * self.config.sample_rate / self.config.hop
