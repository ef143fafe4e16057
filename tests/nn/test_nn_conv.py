from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from edge_vc.nn import Conv, TransposedConv


def test_conv_sees_the_past_only() -> None:
    layer = Conv(3, 5, 4, dilation=2)
    x = torch.randn(2, 3, 1, 20)
    expected = layer.conv(functional.pad(x, (6, 0)))
    torch.testing.assert_close(layer(x), expected)


def test_lookahead_is_a_centred_kernel_delayed() -> None:
    layer = Conv(3, 5, 5, lookahead=2)
    x = torch.randn(1, 3, 1, 20)
    centred = layer.conv(functional.pad(x, (2, 2)))
    assert layer.delay == 2
    torch.testing.assert_close(layer(x)[..., layer.delay + 2 :], centred[..., 2:-2])


def test_a_strided_output_ends_on_the_last_input_of_its_stride() -> None:
    layer = Conv(1, 1, 3, stride=3, bias=False)
    torch.nn.init.zeros_(layer.conv.weight)
    layer.conv.weight.data[..., -1] = 1.0
    x = torch.arange(12.0).reshape(1, 1, 1, 12)
    assert layer(x).flatten().tolist() == [2.0, 5.0, 8.0, 11.0]


def test_transposed_conv_equals_torch_s() -> None:
    layer = TransposedConv(3, 2, stride=4, taps=3)
    kernel = layer.phases.conv.weight.reshape(2, 4, 3, 3).flip(3)  # out, phase, in, tap
    kernel = kernel.permute(2, 0, 3, 1).reshape(3, 2, 12)
    x = torch.randn(2, 3, 1, 10)
    expected = functional.conv_transpose1d(x[:, :, 0], kernel, stride=4)[..., :40]
    bias = layer.phases.conv.bias
    assert bias is not None
    expected = expected + bias.reshape(2, 4).repeat(1, 10)
    torch.testing.assert_close(layer(x)[:, :, 0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Conv(1, 1, 3, stride=4), "stride 4 must be within 1..3"),
        (lambda: Conv(1, 1, 3, lookahead=3), "lookahead 3 must be a multiple .* within 0..2"),
        (lambda: Conv(1, 1, 5, stride=2, lookahead=1), "multiple of the stride 2"),
        (lambda: TransposedConv(1, 1, 0), "stride and taps must be at least 1, got 0"),
    ],
)
def test_impossible_kernels_are_refused(build: object, message: str) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=message):
        build()
