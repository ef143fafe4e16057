"""Both cards of a run, and how much audio each callback moves."""

from __future__ import annotations

import pytest
from fake_backend import FakeBackend, fake_device

from edge_vc_runtime.devices.backend import Device
from edge_vc_runtime.devices.error import DeviceError
from edge_vc_runtime.live.device_choice import DeviceChoice
from edge_vc_runtime.live.device_pair import DevicePair


def card(name: str) -> Device:
    made = fake_device(name)
    return Device(**{**vars(made), "key": f"plughw:CARD={name},DEV=0"})


@pytest.mark.parametrize(
    ("hop_s", "rate", "frames"),
    [
        (0.01, None, 480),
        (0.01, 44100, 441),
        (0.008, None, 384),
        (0.02, None, 480),
        (0.016, None, 384),
    ],
)
def test_through_a_server_the_microphone_gives_a_hop_at_a_time(
    hop_s: float, rate: int | None, frames: int
) -> None:
    pair = DevicePair(FakeBackend(), DeviceChoice(input_rate=rate), hop_s)
    assert pair.input.format.frames == frames
    assert pair.output.format.frames == 240, "a longer callback would be heard later"


@pytest.mark.parametrize("card_name", ["", "USB"])
def test_the_loudspeaker_s_callback_is_as_long_as_the_user_says(card_name: str) -> None:
    backend = FakeBackend(card(card_name)) if card_name else FakeBackend()
    pair = DevicePair(backend, DeviceChoice(buffer_ms=20.0), 0.01)
    assert pair.output.format.frames == 960
    assert pair.input.format.frames == (120 if card_name else 480)


def test_the_channel_that_is_asked_for_is_opened_or_refused() -> None:
    array = FakeBackend(fake_device("array", inputs=8))
    assert DevicePair(array, DeviceChoice(), 0.01).input.format.channels == 2
    assert DevicePair(array, DeviceChoice(), 0.01, channel=5).input.format.channels == 6
    with pytest.raises(DeviceError, match="fake has no input channel 2; give 1 to 1"):
        DevicePair(FakeBackend(), DeviceChoice(), 0.01, channel=1)


def test_a_card_itself_gives_short_blocks_on_both_sides() -> None:
    pair = DevicePair(FakeBackend(card("USB")), DeviceChoice(), 0.01)
    assert (pair.input.format.frames, pair.output.format.frames) == (120, 120)
    assert pair.one_clock
