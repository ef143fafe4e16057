"""Causal convolution and its transpose, over (1, k) kernels."""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor, nn

from edge_vc.nn.layer import State, StreamingLayer, branch, join_state, leaf


class Conv(StreamingLayer):
    """Convolution ``[B, in, 1, T] -> [B, out, 1, T / stride]`` over the past.

    Output ``m`` depends on inputs up to the last one of its stride, plus ``lookahead`` further
    ones: these delay the output by `delay` frames, so that the layer stays causal. The input
    before the first frame is silence.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        *,
        dilation: int = 1,
        groups: int = 1,
        stride: int = 1,
        lookahead: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        reach = dilation * (kernel - 1) + 1
        if not 1 <= stride <= reach:
            raise ValueError(f"stride {stride} must be within 1..{reach}, the kernel's reach")
        if lookahead % stride or not 0 <= lookahead < reach:
            raise ValueError(
                f"lookahead {lookahead} must be a multiple of the stride {stride} "
                f"and within 0..{reach - 1}"
            )
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            (1, kernel),
            dilation=(1, dilation),
            groups=groups,
            stride=(1, stride),
            bias=bias,
        )
        self.block = stride
        self.ratio = Fraction(1, stride)
        self.delay = lookahead // stride

    @property
    def past(self) -> int:
        """Input frames kept from one step to the next."""
        kernel, dilation = self.conv.kernel_size[1], self.conv.dilation[1]
        return dilation * (kernel - 1) + 1 - self.block

    def init_state(self, batch: int) -> State:
        """Return ``{"context": [B, in, 1, past]}``, or ``{}`` for a 1x1 kernel."""
        if not self.past:
            return {}
        return {"context": torch.zeros(batch, self.conv.in_channels, 1, self.past)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Convolve the kept context followed by ``x`` ``[B, in, 1, T]``."""
        self.check_block(x)
        if not self.past:
            y: Tensor = self.conv(x)
            return y, {}
        line = torch.cat([leaf(state, "context"), x], dim=-1)
        return self.conv(line), {"context": line[..., -self.past :]}


class TransposedConv(StreamingLayer):
    """Upsampling ``[B, in, 1, T] -> [B, out, 1, stride * T]`` with ``taps`` inputs per output.

    Equal to a transposed convolution of kernel ``stride * taps``, computed as one convolution
    with the ``stride`` phases as channels, which is fast on boards and can be quantised.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, taps: int = 2) -> None:
        super().__init__()
        if stride < 1 or taps < 1:
            raise ValueError(f"stride and taps must be at least 1, got {stride} and {taps}")
        self.phases = Conv(in_channels, out_channels * stride, taps)
        self.ratio = Fraction(stride)

    def init_state(self, batch: int) -> State:
        """Return ``{"phases": {"context": [B, in, 1, taps - 1]}}``, ``{}`` for one tap."""
        return join_state(phases=self.phases.init_state(batch))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Compute all phases of ``x``'s frames and interleave them in time."""
        stride, frames = self.ratio.numerator, int(x.shape[-1])
        y, phases = self.phases.step(x, branch(state, "phases"))
        channels = self.phases.conv.out_channels // stride
        y = y.reshape(-1, channels, stride, frames).transpose(2, 3)
        return y.reshape(-1, channels, 1, frames * stride), join_state(phases=phases)
