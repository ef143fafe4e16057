"""The format that a device has is found, whatever it is."""

from __future__ import annotations

import pytest
from devices_fakes import ListedBackend, device

from edge_vc_runtime.devices import DeviceError, DeviceGoneError, StreamFormat, negotiate


def ignore(block: object, flag: bool) -> None:
    pass


def opened(
    backend: ListedBackend, inputs: int = 2, rate: int = 48000, **wanted: int
) -> StreamFormat:
    made = device("card", inputs=inputs, outputs=inputs, rate=rate)
    return negotiate(backend, made, "input", ignore, **wanted).format


@pytest.mark.parametrize(("inputs", "channels"), [(1, 1), (2, 2), (8, 2), (32, 2), (10_000, 2)])
def test_the_own_number_of_channels(inputs: int, channels: int) -> None:
    assert opened(ListedBackend(), inputs) == StreamFormat(48000, channels, "float32", 120)


@pytest.mark.parametrize(
    ("inputs", "least", "channels"), [(2, 2, 2), (1, 1, 1), (8, 2, 2), (8, 3, 3), (32, 3, 3)]
)
def test_so_many_channels_that_the_wanted_one_is_there(
    inputs: int, least: int, channels: int
) -> None:
    assert opened(ListedBackend(), inputs, least_channels=least).channels == channels


def test_all_channels_where_the_card_has_one_number_only() -> None:
    backend = ListedBackend(takes=lambda f: None if f.channels == 8 else "channels")
    assert opened(backend, 8, least_channels=3).channels == 8


def test_a_channel_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeviceError, match="card has no input channel 3; give 1 to 2"):
        opened(ListedBackend(), 2, least_channels=3)


@pytest.mark.parametrize("only", [1, 2, 8])
def test_a_card_with_one_number_of_channels_only(only: int) -> None:
    backend = ListedBackend(takes=lambda f: None if f.channels == only else "channels")
    assert opened(backend, max(only, 2)).channels == only


@pytest.mark.parametrize("only", ["float32", "int16", "int32"])
def test_a_card_with_one_sample_type_only(only: str) -> None:
    backend = ListedBackend(takes=lambda f: None if f.sample_type == only else "sample_type")
    assert opened(backend) == StreamFormat(48000, 2, only, 120)


@pytest.mark.parametrize(
    ("only", "frames"), [(48000, 120), (44100, 110), (16000, 40), (96000, 240), (11025, 27)]
)
def test_the_cards_own_rate(only: int, frames: int) -> None:
    backend = ListedBackend(takes=lambda f: None if f.sample_rate == only else "sample_rate")
    assert opened(backend, rate=only) == StreamFormat(only, 2, "float32", frames)
    assert len(backend.tried) <= 2, "a refused rate is not asked for with other channels and types"


def test_rate_channels_and_type_together() -> None:
    def takes(format: StreamFormat) -> str | None:
        if format.sample_rate != 44100:
            return "sample_rate"
        if format.channels != 1:
            return "channels"
        return None if format.sample_type == "int32" else "sample_type"

    backend = ListedBackend(takes=takes)
    assert opened(backend, 2) == StreamFormat(44100, 1, "int32", 110)
    assert len(backend.tried) == 5


def test_a_back_end_that_does_not_say_what_it_refuses() -> None:
    only = StreamFormat(32000, 1, "int16", 80)

    class Vague(ListedBackend):
        def open_input(self, device: object, format: StreamFormat, callback: object) -> object:
            self.takes = lambda f: None if f == only else "nothing"
            return super().open_input(device, format, callback)

    assert opened(Vague()) == only


def test_what_the_user_wants_is_not_changed() -> None:
    backend = ListedBackend()
    wanted = {"sample_rate": 22050, "channels": 6, "frames": 256}
    assert opened(backend, 8, **wanted) == StreamFormat(22050, 6, "float32", 256)
    strict = ListedBackend(takes=lambda f: None if f.sample_rate == 48000 else "sample_rate")
    with pytest.raises(DeviceError, match="no sample_rate 22050"):
        opened(strict, sample_rate=22050)
    assert {f.sample_rate for f in strict.tried} == {22050}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"sample_rate": 0}, "sample rate of a device is 0 Hz; it has to be 4000 to 384000"),
        ({"channels": 65}, "channels of a device is 65; it has to be 1 to 64"),
        ({"frames": 4}, "frames of a device is 4 per callback; it has to be 16 to 16384"),
    ],
)
def test_wishes_are_bounded(wanted: dict[str, int], message: str) -> None:
    with pytest.raises(DeviceError) as error:
        opened(ListedBackend(), **wanted)
    assert str(error.value) == message


def test_a_device_of_the_other_direction() -> None:
    with pytest.raises(DeviceError, match="card has no input channels; choose another device"):
        opened(ListedBackend(), 0)


def test_a_vanished_device_ends_the_search() -> None:
    backend = ListedBackend(gone=["card"])
    with pytest.raises(DeviceGoneError):
        opened(backend)
    assert len(backend.tried) == 1
