"""The student's trunk: depthwise-separable causal blocks, the only part that is quantised."""

from __future__ import annotations

from torch import nn

from edge_vc.models.student.config import StudentConfig
from edge_vc.nn import Conv, Residual, Serial, Stateless


def block(channels: int, hidden: int, kernel: int, dilation: int) -> Residual:
    """Return one residual block: depthwise over time, then ``channels -> hidden -> channels``.

    Time is looked at on the narrow stream (Howard et al., 2017, turned round), so its context
    stays small. Every convolution has a batch norm that folds into it at export.
    """
    return Residual(
        Serial(
            Conv(channels, channels, kernel, dilation=dilation, groups=channels, bias=False),
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

    ``0`` and ``1`` bring the log-mels to the residual stream, one block per entry of
    ``config.hidden`` follows, the last two lead to the head.
    """
    first = Conv(
        config.mels,
        config.channels,
        config.lookahead + 1,
        lookahead=config.lookahead,
        bias=False,
    )
    blocks = [
        block(config.channels, hidden, config.kernel, dilation)
        for hidden, dilation in zip(config.hidden, config.dilations, strict=True)
    ]
    return Serial(
        first,
        Stateless(nn.BatchNorm2d(config.channels), nn.ReLU()),
        *blocks,
        Conv(config.channels, config.outputs, bias=False),
        Stateless(nn.BatchNorm2d(config.outputs), nn.ReLU()),
    )
