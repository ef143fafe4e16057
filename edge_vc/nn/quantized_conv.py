"""A convolution with fake-quantised weights and activations, equal to its INT8 form."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

WEIGHT_LEVELS = 127
"""Largest INT8 weight: symmetric, so -128 is not used."""


@dataclass(frozen=True)
class QuantParams:
    """Scale and zero point of an activation: ``scale * (n - zero_point)`` for ``n`` in 0..255.

    Unsigned and per tensor, since both x86 and Arm kernels are fastest that way.
    """

    scale: float
    zero_point: int

    @classmethod
    def spanning(cls, low: float, high: float) -> QuantParams:
        """Return the parameters for ``low`` to ``high``, extended to represent zero exactly."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max(high - low, 1e-8) / 255
        return cls(scale, round(-low / scale))

    def clipped(self, share: float) -> QuantParams:
        """Return the parameters for ``share`` of this range: a finer step, but clipped outliers."""
        low, high = -self.zero_point * self.scale, (255 - self.zero_point) * self.scale
        return QuantParams.spanning(share * low, share * high)


class QuantizedConv2d(nn.Conv2d):
    """`nn.Conv2d` with INT8 weights (symmetric, per channel) and u8 activations, in float.

    Gradients pass through the quantisation within its range (straight-through, Bengio et al.
    2013), so the layer can be trained; it is exported as QuantizeLinear and DequantizeLinear.
    Weights keep their name and float values; `fit_weight_scale` fits `weight_scale` to them.
    """

    def __init__(
        self, conv: nn.Conv2d, input_params: QuantParams, output_params: QuantParams | None = None
    ) -> None:
        """Take over ``conv``'s weights. Without ``output_params`` the output stays float, for cases
        where the next quantised convolution quantises it anyway."""
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
        self.quantizes_output = output_params is not None
        self.register_buffer("weight_scale", torch.ones(conv.out_channels))
        self.register_buffer("weight_zero", torch.zeros(conv.out_channels, dtype=torch.int32))
        self._register_params("input", input_params)
        if output_params is not None:
            self._register_params("output", output_params)
        self.weight_scale: Tensor
        self.weight_zero: Tensor
        self.fit_weight_scale()

    def _register_params(self, side: str, params: QuantParams) -> None:
        self.register_buffer(f"{side}_scale", torch.tensor(params.scale, dtype=torch.float32))
        self.register_buffer(f"{side}_zero", torch.tensor(params.zero_point, dtype=torch.int32))

    def clip(self, share: float) -> None:
        """Reduce the activations' ranges to ``share`` of their size."""
        for side in ("input", "output") if self.quantizes_output else ("input",):
            self._register_params(side, self._params(side).clipped(share))

    @property
    def input_params(self) -> QuantParams:
        """Scale and zero point of the input."""
        return self._params("input")

    @property
    def output_params(self) -> QuantParams | None:
        """Scale and zero point of the output; None if it stays float."""
        return self._params("output") if self.quantizes_output else None

    def _params(self, side: str) -> QuantParams:
        return QuantParams(
            float(self.get_buffer(f"{side}_scale")), int(self.get_buffer(f"{side}_zero"))
        )

    @torch.no_grad()
    def fit_weight_scale(self) -> None:
        """Set each channel's scale so that its largest weight is the largest INT8 value."""
        largest = self.weight.abs().amax(dim=(1, 2, 3))
        self.weight_scale.copy_((largest / WEIGHT_LEVELS).clamp_min(1e-8))

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``input`` ``[B, in, 1, T]``, quantising everything that is INT8."""
        weight = torch.fake_quantize_per_channel_affine(
            self.weight, self.weight_scale, self.weight_zero, 0, -WEIGHT_LEVELS - 1, WEIGHT_LEVELS
        )
        y = self._conv_forward(self._quantized(input, "input"), weight, self.bias)
        return self._quantized(y, "output") if self.quantizes_output else y

    def _quantized(self, x: Tensor, side: str) -> Tensor:
        scale, zero = self.get_buffer(f"{side}_scale"), self.get_buffer(f"{side}_zero")
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, 0, 255)


def quantized_convs(layer: nn.Module) -> list[QuantizedConv2d]:
    """Return the quantised convolutions of ``layer``, in module order."""
    return [module for module in layer.modules() if isinstance(module, QuantizedConv2d)]
