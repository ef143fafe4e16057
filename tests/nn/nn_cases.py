"""The one table of layers that every invariant is tested over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.nn import (
    GRU,
    CausalISTFT,
    CausalSTFT,
    Conv,
    Delay,
    FollowingMean,
    HarmonicSource,
    NoiseSource,
    RecoveringMean,
    Residual,
    RunningMean,
    Serial,
    Stateless,
    StreamingLayer,
    TransposedConv,
    WindowedAttention,
)


@dataclass(frozen=True)
class Case:
    """How to build a layer, and what to feed it: noise of a scale around an offset."""

    name: str
    make: Callable[[], StreamingLayer]
    channels: int
    height: int = 1
    scale: float = 1.0
    offset: float = 0.0

    def build(self) -> StreamingLayer:
        torch.manual_seed(7)
        layer = self.make().eval()
        for module in layer.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.5, 2.0)
        return layer

    def noise(self, layer: StreamingLayer, blocks: int, batch: int = 1, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        shape = (batch, self.channels, self.height, blocks * layer.block)
        return torch.randn(shape, generator=generator) * self.scale + self.offset


def small_student(head: str, **sizes: object) -> Student:
    """A student of the shipped shape in miniature."""
    small = {
        "channels": 16,
        "hidden": [24, 16, 32],
        "dilations": [1, 2, 4],
        "mels": 20,
        "outputs": 12,
        "bands": 10,
        "head": head,
    }
    return Student(StudentConfig.from_dict(small | sizes))


def student_at(hop_ms: float, rate: int) -> Student:
    """The same at another hop and sample rate."""
    return Student(small_student("source-filter").config.at(hop_ms, rate))


def bottleneck() -> Serial:
    down, up = Conv(4, 6, 4, stride=2), TransposedConv(6, 4, 2)
    return Serial(down, Stateless(nn.BatchNorm2d(6), nn.ReLU()), GRU(6, 6), up)


CASES = [
    Case("conv", lambda: Conv(4, 6, 5), 4),
    Case("conv-1x1", lambda: Conv(4, 6), 4),
    Case("conv-dilated-depthwise", lambda: Conv(4, 4, 3, dilation=8, groups=4, bias=False), 4),
    Case("conv-stride", lambda: Conv(4, 6, 7, stride=3), 4),
    Case("conv-lookahead", lambda: Conv(4, 6, 5, lookahead=2), 4),
    Case("conv-stride-lookahead", lambda: Conv(4, 6, 7, stride=2, lookahead=4), 4),
    Case("transposed", lambda: TransposedConv(4, 3, 5, taps=3), 4),
    Case("transposed-one-tap", lambda: TransposedConv(4, 3, 2, taps=1), 4),
    Case("gru", lambda: GRU(4, 6), 4),
    Case("attention", lambda: WindowedAttention(8, heads=2, window=6), 8),
    Case("delay", lambda: Delay(4, 3), 4),
    Case("no-delay", lambda: Delay(4, 0), 4),
    Case("stateless", lambda: Stateless(nn.Conv2d(4, 6, 1), nn.BatchNorm2d(6), nn.ReLU()), 4),
    Case("stft-hann", lambda: CausalSTFT(512, 160), 1, scale=0.1),
    Case("stft-sine", lambda: CausalSTFT(64, 32, "sine"), 1),
    Case("stft-no-overlap", lambda: CausalSTFT(24, 24), 1),
    Case("istft-half", lambda: CausalISTFT(64, 32), 36, height=2),
    Case("istft-quarter", lambda: CausalISTFT(64, 16, "hann"), 36, height=2),
    Case("stft-istft", lambda: Serial(CausalSTFT(320, 160, "sine"), CausalISTFT(320, 160)), 1),
    Case("harmonic", lambda: HarmonicSource(16000, 160), 1, scale=60.0, offset=180.0),
    Case("harmonic-short-hop", lambda: HarmonicSource(16000, 80), 1, scale=60.0, offset=180.0),
    Case("noise", lambda: NoiseSource(17), 1),
    Case("running-mean", lambda: RunningMean(12), 12, scale=3.0),
    Case("following-mean", lambda: FollowingMean(5), 2),
    Case("recovering-mean", lambda: RecoveringMean(12), 12, scale=3.0),
    Case("residual", lambda: Residual(Conv(4, 4, 5, dilation=2), 4), 4),
    Case("residual-lookahead", lambda: Residual(Conv(4, 4, 5, lookahead=3), 4), 4),
    Case("residual-nested", lambda: Residual(Residual(Conv(4, 4, 3, lookahead=1), 4), 4), 4),
    Case("serial-bottleneck", bottleneck, 4),
    Case("residual-bottleneck", lambda: Residual(bottleneck(), 4), 4),
    Case("student-source-filter", lambda: small_student("source-filter"), 1, scale=0.1),
    Case("student-istft", lambda: small_student("istft"), 1, scale=0.1),
    Case(
        "student-gated", lambda: small_student("source-filter", channel_norm="gated"), 1, scale=0.1
    ),
    Case("student-lookahead", lambda: small_student("source-filter", lookahead=2), 1, scale=0.1),
    Case(
        "student-lookahead-blocks",
        lambda: small_student("source-filter", lookahead=5, lookahead_in="blocks"),
        1,
        scale=0.1,
    ),
    Case("student-short-hop", lambda: small_student("source-filter", hop=80), 1, scale=0.1),
    *(
        Case(
            f"student-{hop_ms:g}-ms-{rate}-Hz",
            partial(student_at, hop_ms, rate),
            1,
            scale=0.1,
        )
        for hop_ms, rate in ((2.5, 16_000), (5, 16_000), (20, 16_000), (10, 24_000))
    ),
]
