"""Common code of both PortAudio bindings: devices, and error codes as text."""

from __future__ import annotations

import grp
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.devices.backend import Device, Direction, StreamFormat
from edge_vc_runtime.devices.cards import CardHolder, card_holders, find_card, sound_cards
from edge_vc_runtime.devices.error import (
    DeviceBusyError,
    DeviceError,
    DeviceGoneError,
    FormatPart,
    FormatRefusedError,
)
from edge_vc_runtime.devices.sound_system import SERVERS, explain_no_server
from edge_vc_runtime.message import one_line

USUAL_RATES = (8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 192_000)
"""Rates in Hz that are tried to list a device's rates."""
INPUT_OVERFLOW, OUTPUT_UNDERFLOW = 0x2, 0x4
"""Bits of the status passed to every callback."""

_INVALID_CHANNELS, _INVALID_RATE, _INVALID_DEVICE = -9998, -9997, -9996
_FORMAT_NOT_SUPPORTED, _BAD_COMBINATION, _UNAVAILABLE = -9994, -9993, -9985
_REFUSED: dict[int, FormatPart] = {
    _INVALID_CHANNELS: "channels",
    _INVALID_RATE: "sample_rate",
    _FORMAT_NOT_SUPPORTED: "sample_type",
}
_NAME = 200  # characters kept of a device's name


def portaudio_device(
    index: int,
    name: str,
    api: str,
    channels: tuple[int, int],
    default_rate: float,
    low_latencies: tuple[float, float],
    root: Path = Path("/"),
) -> Device:
    """Return a device from PortAudio's data; pairs are input and output, latencies in s.

    PortAudio's card names end in ``(hw:1,0)``: the key has the card's name instead of its number,
    which changes when it is replugged.
    """
    name = one_line(name)[:_NAME]
    card = find_card(name, sound_cards(root), exact=False)
    return Device(
        name=name,
        key=card[0].key(card[1]) if card else name,
        index=index,
        api=one_line(api)[:_NAME],
        inputs=max(channels[0], 0),
        outputs=max(channels[1], 0),
        default_rate=round(default_rate),
        low_input_ms=low_latencies[0] * 1e3,
        low_output_ms=low_latencies[1] * 1e3,
    )


@dataclass(frozen=True)
class OpeningFailure:
    """A device that PortAudio could not open, and everything that helps to explain why."""

    device: Device
    direction: Direction
    format: StreamFormat
    code: int
    """PortAudio's error code, negative."""
    text: str
    """PortAudio's error text."""
    details: tuple[str, ...] = ()
    """Lines written by the libraries in the meantime."""

    def error(self, rates: Callable[[], tuple[int, ...]], root: Path = Path("/")) -> DeviceError:
        """Return the error to raise; ``rates`` is called if the rate was refused."""
        part = _REFUSED.get(self.code)
        if part is not None:
            return FormatRefusedError(self._refusal(part, rates), part)
        holders = self._holders(root)
        if self.code == _UNAVAILABLE or holders:
            return DeviceBusyError(_busy(self.device, holders))
        if self.code == _INVALID_DEVICE or "querying device" in self.text:
            return self._gone()
        if self.code == _BAD_COMBINATION:
            return self._unreachable(root)
        return DeviceError(f"{self._what()}: {one_line(self.text)}{self._detail()}")

    def _what(self) -> str:
        return f"{self.device.name} cannot be opened as {self.direction}"

    def _refusal(self, part: FormatPart, rates: Callable[[], tuple[int, ...]]) -> str:
        name = self.device.name
        if part == "sample_rate":
            has = ", ".join(str(rate) for rate in rates()) or "unknown rates"
            return f"{name} does not run at {self.format.sample_rate} Hz; it has {has}"
        if part == "channels":
            most = self.device.channels(self.direction)
            return (
                f"{name} does not take {self.format.channels} {self.direction} channels; "
                f"it has at most {most}"
            )
        return f"{name} does not take {self.format.sample_type} samples"

    def _holders(self, root: Path) -> tuple[CardHolder, ...]:
        card = find_card(self.device.key, sound_cards(root))
        return card_holders(*card, self.direction, root) if card else ()

    def _gone(self) -> DeviceError:
        return DeviceGoneError(f"{self.device.name} is not there any more; plug it in again")

    def _unreachable(self, root: Path) -> DeviceError:
        card = find_card(self.device.key, sound_cards(root))
        if card is None and "hw:" in self.device.key:
            return self._gone()
        if card is not None:
            letter = "c" if self.direction == "input" else "p"
            node = root / f"dev/snd/pcmC{card[0].number}D{card[1]}{letter}"
            if node.exists() and not os.access(node, os.R_OK | os.W_OK):
                return DeviceError(f"{self._what()}: {_permission(node)}")
        server = explain_no_server(root) if card is None else ""
        # PortAudio reports all other reasons why ALSA cannot open a device as a bad combination.
        text = "ALSA cannot open it" if self.code == _BAD_COMBINATION else one_line(self.text)
        return DeviceError(f"{self._what()}: {server or text}{self._detail()}")

    def _detail(self) -> str:
        """Return libasound's last message, without its source location."""
        lines = [line.rpartition(") ")[2] for line in self.details if line.startswith("ALSA lib")]
        return f" (ALSA: {one_line(lines[-1])[:120]})" if lines else ""


def error_code(error: Exception) -> tuple[int, str]:
    """Return PortAudio's error code, 0 if there is none, and its text.

    PyAudio and sounddevice put them into an error in different orders.
    """
    numbers = [part for part in error.args if isinstance(part, int)]
    texts = [part for part in error.args if isinstance(part, str)]
    # sounddevice adds ALSA's error: host API, code, text.
    hosts = [part[-1] for part in error.args if isinstance(part, tuple) and part and part[-1]]
    text = ": ".join(map(str, [*texts[:1], *hosts])) or str(error)
    return (numbers[0] if numbers else 0), one_line(text)


def _busy(device: Device, holders: tuple[CardHolder, ...]) -> str:
    if not holders:
        return f"{device.name} is in use by another program; stop it, or choose another device"
    names = " and ".join(str(holder) for holder in holders)
    if any(holder.program in SERVERS for holder in holders):
        way = "use the device 'default', which goes through it"
    else:
        way = "stop it, or choose another device"
    return f"{device.name} is in use by {names}; {way}"


def _permission(node: Path) -> str:
    try:
        group = grp.getgrgid(node.stat().st_gid).gr_name
    except (KeyError, OSError):
        group = "audio"
    return (
        f"no permission for {node}; run: sudo usermod -aG {group} $USER, then log out and in again"
    )
