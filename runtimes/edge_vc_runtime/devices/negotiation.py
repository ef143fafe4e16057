"""Opens a device in a format that it supports, independently of the model's format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from numpy.typing import NDArray

from edge_vc_runtime.devices.backend import (
    Backend,
    Device,
    DeviceStream,
    Direction,
    SampleType,
    StreamFormat,
)
from edge_vc_runtime.devices.error import DeviceError, FormatRefusedError

SAMPLE_TYPES: tuple[SampleType, ...] = ("float32", "int16", "int32")
"""In the order in which they are tried: some microphones only support 32-bit integers."""
CALLBACK_S = 0.0025
"""Callback length in s: PortAudio's ring grows with it; the model's hop is assembled elsewhere."""
_RATES = (48000, 44100, 96000, 32000, 16000)
_LIMITS = {"sample rate": (4000, 384_000), "channels": (1, 64), "frames": (16, 16384)}


def negotiate(
    backend: Backend,
    device: Device,
    direction: Direction,
    callback: Callable[[NDArray[Any], bool], None],
    sample_rate: int | None = None,
    channels: int | None = None,
    frames: int | None = None,
    callback_s: float = CALLBACK_S,
    least_channels: int = 1,
) -> DeviceStream:
    """Open a device in the first format that it accepts; the stream, which is not started, has it.

    Without ``sample_rate`` (Hz) 48 kHz is tried first, then the device's suggestion. Without
    ``channels``, its own number if that is 1 or 2; if it has more, the first two, otherwise all;
    never fewer than ``least_channels``. Without ``frames`` a callback lasts ``callback_s`` at the
    resulting rate. Samples are float32, otherwise int16, otherwise int32.

    Raises `DeviceError`, which says what was refused; a busy or vanished device ends the search.
    """
    _check("sample rate", sample_rate, "Hz")
    _check("channels", channels)
    most = device.channels(direction)
    if 0 < most < least_channels:
        raise DeviceError(
            f"{device.name} has no {direction} channel {least_channels}; give 1 to {most}"
        )
    counts = (channels,) if channels else _channels(most, least_channels)
    _check("frames", frames, "per callback")
    open_stream = backend.open_input if direction == "input" else backend.open_output
    refusals: list[FormatRefusedError] = []
    sizes = partial(_frames, frames, callback_s)
    for format in _formats(device, sample_rate, counts, sizes, refusals):
        try:
            return open_stream(device, format, callback)
        except FormatRefusedError as error:
            refusals.append(error)
    if not refusals:
        raise DeviceError(f"{device.name} has no {direction} channels; choose another device")
    raise refusals[0] if sample_rate is None else refusals[-1]


def _formats(
    device: Device,
    sample_rate: int | None,
    counts: tuple[int, ...],
    frames: Callable[[int], int],
    refusals: list[FormatRefusedError],
) -> Iterator[StreamFormat]:
    """Yield the formats to try, skipping those excluded by the device's last refusal."""
    for rate in (sample_rate,) if sample_rate else _rates(device):
        for count in counts:
            for kind in SAMPLE_TYPES:
                tried = len(refusals)
                yield StreamFormat(rate, count, kind, frames(rate))
                part = refusals[-1].part if len(refusals) > tried else None
                if part in ("sample_rate", "channels"):
                    break
            if part == "sample_rate":
                break


def _frames(frames: int | None, callback_s: float, rate: int) -> int:
    low, high = _LIMITS["frames"]
    return frames or min(max(int(rate * callback_s + 1e-6), low), high)


def _rates(device: Device) -> tuple[int, ...]:
    """Return the rates to try: 48 kHz is a multiple of the model's and most cards' native rate."""
    rates = (_RATES[0], device.default_rate, *_RATES[1:])
    low, high = _LIMITS["sample rate"]
    return tuple(dict.fromkeys(rate for rate in rates if low <= rate <= high))


def _channels(most: int, least: int) -> tuple[int, ...]:
    """Return the channel counts to try.

    A device of a sound server reports 32 or more, meaning any number. A microphone array often
    returns its own loudspeaker signal on the last channels.
    """
    wanted = (most, 2, 1) if most <= 2 else (2, 1, least, most)
    high = min(most, _LIMITS["channels"][1])
    return tuple(dict.fromkeys(n for n in wanted if least <= n <= high))


def _check(what: str, value: int | None, unit: str = "") -> None:
    low, high = _LIMITS[what]
    if value is not None and not low <= value <= high:
        shown = f"{value} {unit}".strip()
        raise DeviceError(f"{what} of a device is {shown}; it has to be {low} to {high}")
