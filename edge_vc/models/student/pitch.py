"""The student's pitch predictor: from log-mels to the F0 of its output, in float.

It is separate from the trunk, which is quantised: an error of three in a thousand in F0 is
inaudible, but it shifts every harmonic, and INT8 and float could no longer be compared bin by bin.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from edge_vc.models.student.conditioning import condition_size
from edge_vc.models.student.config import StudentConfig
from edge_vc.nn import GRU, Conv, Delay, Serial, Stateless


def build_pitch(config: StudentConfig) -> Serial:
    """Return the network from log-mels ``[B, mels, 1, F]`` to natural log F0 ``[B, 1, 1, F]``.

    F0 is in Hz. The inputs that condition the trunk follow the log-mels as further channels.

    It is recurrent, since the target's intonation depends on the speaker's usual pitch.
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
        first.conv.weight[:, config.mels :] = 0.0  # the conditioning inputs, before training
    layers = [first, Stateless(nn.ReLU()), GRU(size, size), reader]
    # The trunk's look-ahead delays its frames; those of the pitch must be delayed equally.
    late = config.first_lookahead
    return Serial(*layers, *([Delay(1, late)] if late else []))
