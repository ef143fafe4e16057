"""A teacher of your own: a PyTorch module that converts audio offline.

edge-vc label recordings --teacher examples/own_teacher.toml -o build/own-labels

The filter below stands in for a network: it darkens the timbre, which is enough for an example.
"""

import torch
from torch import Tensor, nn


class Darker(nn.Module):
    """A low-pass filter of 33 taps, centred: the output is time-aligned with the input."""

    def __init__(self) -> None:
        super().__init__()
        taps = torch.hann_window(33, periodic=False)
        self.register_buffer("taps", (taps / taps.sum())[None, None])

    def forward(self, audio: Tensor) -> Tensor:
        """Convert ``[1, T]`` to ``[1, T]``."""
        return nn.functional.conv1d(audio[:, None], self.taps, padding="same")[:, 0]


def make_teacher() -> Darker:
    """Return the teacher; the recipe names this function as its factory."""
    return Darker()


if __name__ == "__main__":
    converted = make_teacher()(torch.randn(1, 16000))
    print(f"{tuple(converted.shape)} samples")
