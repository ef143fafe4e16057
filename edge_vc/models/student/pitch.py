"""The student's own pitch: from log-mels to the F0 that it will speak with, in float.

Kept apart from the trunk, which is quantised: an error of three in a thousand in F0 is inaudible,
but it shifts every harmonic, and INT8 and float could no longer be compared bin by bin.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from edge_vc.models.student.conditioning import condition_size
from edge_vc.models.student.config import StudentConfig
from edge_vc.nn import GRU, Conv, Delay, Serial, Stateless


def build_pitch(config: StudentConfig) -> Serial:
    """Return log-mels ``[B, mels, 1, F]`` to natural log F0 in Hz ``[B, 1, 1, F]``.

    What conditions the trunk follows the log-mels as further channels.

    Recurrent, since how the target would speak follows from how the speaker usually speaks.
    """
    size = config.pitch_channels
    reader = Conv(size, 1)
    with torch.no_grad():
        reader.conv.weight.mul_(0.1)
        if reader.conv.bias is not None:
            reader.conv.bias.fill_(math.log(config.target_f0_hz))
    ahead = config.lookahead - config.first_lookahead
    first = Conv(config.mels + condition_size(config), size, ahead + 1, lookahead=ahead)
    with torch.no_grad():
        first.conv.weight[:, config.mels :] = 0.0  # what conditions it, before training
    layers = [first, Stateless(nn.ReLU()), GRU(size, size), reader]
    # The trunk's look-ahead makes its frames late; so must be those of the pitch.
    late = config.first_lookahead
    return Serial(*layers, *([Delay(1, late)] if late else []))
