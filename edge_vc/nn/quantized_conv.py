"""A convolution that computes as its INT8 form will: rounded weights and activations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

WEIGHT_LEVELS = 127
"""Largest INT8 weight: symmetric, so -128 is not used."""


@dataclass(frozen=True)
class Grid:
    """Where an activation may lie: ``scale * (n - zero_point)`` for ``n`` in 0..255.

    Unsigned and per tensor, because that is what both x86 and Arm kernels run fastest.
    """

    scale: float
    zero_point: int

    @classmethod
    def spanning(cls, low: float, high: float) -> Grid:
        """Return the grid over ``low`` to ``high``, widened to hold an exact zero."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max(high - low, 1e-8) / 255
        return cls(scale, round(-low / scale))

    def narrowed(self, share: float) -> Grid:
        """Return the grid over ``share`` of this one's range: finer, but it clips."""
        low, high = -self.zero_point * self.scale, (255 - self.zero_point) * self.scale
        return Grid.spanning(share * low, share * high)


class QuantizedConv2d(nn.Conv2d):
    """`nn.Conv2d` with INT8 weights (symmetric, per channel) and u8 activations, in float.

    The roundings let gradients pass inside their range (straight-through, Bengio et al. 2013),
    so the layer can be trained, and export as QuantizeLinear and DequantizeLinear. Weights keep
    their name and their float values; `weight_scale` follows them by `fit_weight_scale`.
    """

    def __init__(self, conv: nn.Conv2d, input_grid: Grid, output_grid: Grid | None = None) -> None:
        """Take over ``conv``'s weights. Without an ``output_grid`` the output stays float:
        right where the next quantised convolution rounds it anyway."""
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type]
            stride=conv.stride,  # type: ignore[arg-type]
            padding=conv.padding,  # type: ignore[arg-type]
            dilation=conv.dilation,  # type: ignore[arg-type]
            groups=conv.groups,
            bias=conv.bias is not None,
        )
        self.load_state_dict(conv.state_dict())
        self.train(conv.training)
        self.quantizes_output = output_grid is not None
        self.register_buffer("weight_scale", torch.ones(conv.out_channels))
        self.register_buffer("weight_zero", torch.zeros(conv.out_channels, dtype=torch.int32))
        self._register_grid("input", input_grid)
        if output_grid is not None:
            self._register_grid("output", output_grid)
        self.weight_scale: Tensor
        self.weight_zero: Tensor
        self.fit_weight_scale()

    def _register_grid(self, side: str, grid: Grid) -> None:
        self.register_buffer(f"{side}_scale", torch.tensor(grid.scale, dtype=torch.float32))
        self.register_buffer(f"{side}_zero", torch.tensor(grid.zero_point, dtype=torch.int32))

    def narrow(self, share: float) -> None:
        """Replace the grids by ones over ``share`` of their ranges."""
        for side in ("input", "output") if self.quantizes_output else ("input",):
            self._register_grid(side, self._grid(side).narrowed(share))

    @property
    def input_grid(self) -> Grid:
        """The grid that inputs are rounded to."""
        return self._grid("input")

    @property
    def output_grid(self) -> Grid | None:
        """The grid that outputs are rounded to; None where they stay float."""
        return self._grid("output") if self.quantizes_output else None

    def _grid(self, side: str) -> Grid:
        return Grid(float(self.get_buffer(f"{side}_scale")), int(self.get_buffer(f"{side}_zero")))

    @torch.no_grad()
    def fit_weight_scale(self) -> None:
        """Make each channel's largest weight the largest INT8 value."""
        largest = self.weight.abs().amax(dim=(1, 2, 3))
        self.weight_scale.copy_((largest / WEIGHT_LEVELS).clamp_min(1e-8))

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``input`` ``[B, in, 1, T]``; everything that is INT8 is rounded."""
        weight = torch.fake_quantize_per_channel_affine(
            self.weight, self.weight_scale, self.weight_zero, 0, -WEIGHT_LEVELS - 1, WEIGHT_LEVELS
        )
        y = self._conv_forward(self._rounded(input, "input"), weight, self.bias)
        return self._rounded(y, "output") if self.quantizes_output else y

    def _rounded(self, x: Tensor, side: str) -> Tensor:
        scale, zero = self.get_buffer(f"{side}_scale"), self.get_buffer(f"{side}_zero")
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, 255)


def quantized_convs(layer: nn.Module) -> list[QuantizedConv2d]:
    """Return the quantised convolutions of ``layer``, in module order."""
    return [module for module in layer.modules() if isinstance(module, QuantizedConv2d)]
