"""The student's trunk: depthwise-separable causal blocks, the only part that is quantised."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_vc.models.student.conditioning import FILM, condition_size, film_sizes
from edge_vc.models.student.config import StudentConfig
from edge_vc.nn import ConditionedLayer, Conv, Inputs, Residual, Serial, State, Stateless
from edge_vc.nn.layer import StreamingLayer, branch, join_state


def block(channels: int, hidden: int, kernel: int, dilation: int, lookahead: int = 0) -> Residual:
    """Return one residual block: depthwise over time, then ``channels -> hidden -> channels``.

    The depthwise convolution sees ``lookahead`` frames after its own, so that what it adds to the
    residual stream, which is delayed by as much, belongs to the same frame.

    The convolution over time acts on the narrow stream (the reverse of Howard et al., 2017), so its
    context stays small. Every convolution has a batch norm that is folded into it at export.
    """
    return Residual(
        Serial(
            Conv(
                channels,
                channels,
                kernel,
                dilation=dilation,
                groups=channels,
                lookahead=lookahead,
                bias=False,
            ),
            Stateless(nn.BatchNorm2d(channels)),
            Conv(channels, hidden, bias=False),
            Stateless(nn.BatchNorm2d(hidden), nn.ReLU()),
            Conv(hidden, channels, bias=False),
            Stateless(nn.BatchNorm2d(channels)),
        ),
        channels,
    )


def build_trunk(config: StudentConfig) -> Serial:
    """Return the trunk ``[B, mels, 1, F] -> [B, outputs, 1, F]``.

    ``0`` and ``1`` map the log-mels to the residual stream, one block per entry of
    ``config.hidden`` follows, and the last two lead to the head.
    """
    first = Conv(
        config.mels,
        config.channels,
        config.first_lookahead + 1,
        lookahead=config.first_lookahead,
        bias=False,
    )
    blocks = [
        block(config.channels, hidden, config.kernel, dilation, ahead)
        for hidden, dilation, ahead in zip(
            config.hidden, config.dilations, config.block_lookahead, strict=True
        )
    ]
    layers: list[StreamingLayer] = [
        first,
        Stateless(nn.BatchNorm2d(config.channels), nn.ReLU()),
        *blocks,
        Conv(config.channels, config.outputs, bias=False),
        Stateless(nn.BatchNorm2d(config.outputs), nn.ReLU()),
    ]
    if condition_size(config):
        return ConditionedTrunk(layers, film_sizes(config))
    return Serial(*layers)


class ConditionedTrunk(ConditionedLayer, Serial):
    """The same layers, with the residual stream and the output modulated between them.

    Its one input, ``film``, is what `Modulation` computes from the student's inputs. None of it is
    quantised: gains and shifts act in float between two integer layers.
    """

    def __init__(self, layers: list[StreamingLayer], sizes: tuple[int, ...]) -> None:
        Serial.__init__(self, *layers)
        self.sizes = sizes
        self.inputs = {FILM: (0.0,) * (2 * sum(sizes))}

    def step(self, x: Tensor, state: State, inputs: Inputs | None = None) -> tuple[Tensor, State]:
        """Feed ``x`` ``[B, mels, 1, F]`` through every layer."""
        parts = [size for size in self.sizes for _ in ("gain", "shift")]
        film = torch.split(self.input(inputs, FILM, x), parts, dim=1)
        following: dict[str, State] = {}
        place = 0
        for position, layer in enumerate(self):
            name = str(position)
            x, following[name] = layer.step(x, branch(state, name))
            if isinstance(layer, Residual) or position in (1, len(self) - 1):
                x = x + (x * film[2 * place] + film[2 * place + 1])
                place += 1
        return x, join_state(**following)
