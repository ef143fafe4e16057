from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import nn

from edge_vc.nn import (
    CausalISTFT,
    CausalSTFT,
    Conv,
    Delay,
    Residual,
    Serial,
    Stateless,
    StreamingLayer,
    TransposedConv,
    flatten_state,
    unflatten_state,
)
from edge_vc.nn.layer import branch, join_state, leaf


def passing(kernel: int, lookahead: int) -> Conv:
    """A convolution that returns its input in time with its own delay."""
    layer = Conv(2, 2, kernel, groups=2, lookahead=lookahead, bias=False)
    nn.init.zeros_(layer.conv.weight)
    layer.conv.weight.data[..., kernel - 1 - lookahead] = 1.0
    return layer


@pytest.mark.parametrize(
    ("layers", "block", "ratio", "delay"),
    [
        ([], 1, Fraction(1), 0),
        ([Conv(1, 1, 4, stride=2), Conv(1, 1, 3, stride=3)], 6, Fraction(1, 6), 0),
        ([Conv(1, 1, 3, stride=2), TransposedConv(1, 1, 2)], 2, Fraction(1), 0),
        ([TransposedConv(1, 1, 4), Conv(1, 1, 6, stride=6)], 3, Fraction(2, 3), 0),
        ([Delay(1, 3), Conv(1, 1, 5, lookahead=2)], 1, Fraction(1), 5),
        ([Delay(1, 4), Conv(1, 1, 4, stride=2)], 2, Fraction(1, 2), 2),
        ([Conv(1, 1, 5, lookahead=1), CausalISTFT(320, 160)], 1, Fraction(160), 160 + 160),
        ([CausalSTFT(512, 160), CausalISTFT(480, 160)], 160, Fraction(1), 320),
    ],
    ids=lambda value: str(value) if not isinstance(value, list) else f"{len(value)} layers",
)
def test_serial_derives_block_ratio_and_delay(
    layers: list[StreamingLayer], block: int, ratio: Fraction, delay: int
) -> None:
    serial = Serial(*layers)
    assert (serial.block, serial.ratio, serial.delay) == (block, ratio, delay)
    assert list(serial) == layers
    assert len(serial) == len(layers)


def test_a_delay_of_half_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="look ahead by 3/2 output frames: put a Delay"):
        Serial(Delay(1, 3), Conv(1, 1, 2, stride=2))


@pytest.mark.parametrize("lookahead", [0, 1, 3])
def test_residual_aligns_its_skip(lookahead: int) -> None:
    layer = Residual(passing(5, lookahead), channels=2)
    x = torch.randn(1, 2, 1, 12)
    late = nn.functional.pad(x, (lookahead, 0))[..., :12]
    assert layer.delay == lookahead
    torch.testing.assert_close(layer(x), 2 * late)


def test_delays_add_up_through_nested_residuals() -> None:
    layer = Residual(Serial(passing(3, 1), Residual(passing(5, 2), 2)), channels=2)
    x = torch.randn(1, 2, 1, 12)
    late = nn.functional.pad(x, (3, 0))[..., :12]
    assert layer.delay == 3
    torch.testing.assert_close(layer(x), 3 * late)


def test_residual_needs_a_ratio_of_one() -> None:
    with pytest.raises(ValueError, match="Residual needs a layer of ratio 1, Conv has 1/2"):
        Residual(Conv(4, 4, 2, stride=2), 4)


@pytest.mark.parametrize(("channels", "frames"), [(0, 1), (1, -1)])
def test_an_impossible_delay_is_refused(channels: int, frames: int) -> None:
    with pytest.raises(ValueError, match=f"got {frames} and {channels}"):
        Delay(channels, frames)


def test_layers_without_state_have_no_place_in_it() -> None:
    serial = Serial(Stateless(nn.ReLU()), Conv(2, 2, 3), Conv(2, 2), Residual(Conv(2, 2, 2), 2))
    names = list(flatten_state(serial.init_state(1)))
    assert names == ["1.context", "3.inner.context"]


def test_flat_states_nest_again() -> None:
    layer = Serial(Conv(2, 2, 3), Residual(Serial(Conv(2, 2, 3, lookahead=1)), 2))
    state = layer.init_state(2)
    flat = flatten_state(state)
    assert list(flat) == ["0.context", "1.inner.0.context", "1.skip.line"]
    assert flatten_state(unflatten_state(flat)).keys() == flat.keys()
    y, _ = layer.step(torch.ones(2, 2, 1, 4), unflatten_state(flat))
    assert y.shape == (2, 2, 1, 4)


def test_a_wrong_state_is_named() -> None:
    x = torch.zeros(1)
    with pytest.raises(KeyError, match="no tensor 'context', only \\['line'\\]"):
        leaf({"line": x}, "context")
    with pytest.raises(KeyError, match="'inner' is a tensor"):
        branch({"inner": x}, "inner")
    with pytest.raises(ValueError, match=r"'a.b' runs through the tensor 'a'"):
        unflatten_state({"a": x, "a.b": x})
    assert branch({}, "inner") == {}
    assert join_state(a={}, b={"line": x}) == {"b": {"line": x}}
