"""A microphone and a loudspeaker, opened together."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from numpy.typing import NDArray

from edge_vc_runtime.devices.backend import Backend, Device, DeviceStream, Direction
from edge_vc_runtime.devices.negotiation import CALLBACK_S, negotiate
from edge_vc_runtime.devices.selection import ignore_notice, pick_device
from edge_vc_runtime.live.device_choice import DeviceChoice

_SERVER_S = 0.005
"""Length of one output callback with a sound server: it transfers 5 ms at a time regardless of the
request, and half as many callbacks cost half as much. From a card, 2.5 ms are requested."""
_MOST_INPUT_S = 0.01
"""Maximum length of one input callback with a server: a hop waits for its last sample anyway."""


class _Callback:
    """Placeholder for a callback until the required format is known; streams start afterwards."""

    def __init__(self) -> None:
        self.target: Any = None

    def __call__(self, frames: NDArray[Any], flag: bool) -> None:
        self.target(frames, flag)


class DevicePair:
    """Both streams; `start` once their callbacks are set."""

    def __init__(
        self,
        backend: Backend,
        choice: DeviceChoice,
        hop_s: float,
        notice: Callable[[str], object] = ignore_notice,
        channel: int | None = None,
    ) -> None:
        """Find and open both devices for hops of ``hop_s``.

        ``channel`` of the microphone, from 0, has to be among those opened. Raises `DeviceError`,
        leaving neither open.
        """
        devices = backend.devices()
        self.input_device = pick_device(devices, choice.input, "input", notice)
        self.output_device = pick_device(devices, choice.output, "output", notice)
        self._receive, self._play = _Callback(), _Callback()
        hops = ceil(hop_s / _MOST_INPUT_S - 1e-9)
        played_s = None if choice.buffer_ms is None else choice.buffer_ms / 1000
        factor = choice.buffer_factor
        self.input = _open(
            backend, self.input_device, "input", self._receive, choice.input_rate, hop_s / hops,
            least_channels=1 if channel is None else channel + 1,
        )  # fmt: skip
        try:
            self.output = _open(
                backend, self.output_device, "output", self._play, choice.output_rate,
                factor * (played_s or _SERVER_S), factor * (played_s or CALLBACK_S),
            )  # fmt: skip
        except BaseException:
            self.input.close()
            raise

    def start(self, receive: Any, play: Any) -> None:
        """Start the callbacks; on an error raises `DeviceError` and closes both."""
        self._receive.target, self._play.target = receive, play
        try:
            # The microphone first, so that the loudspeaker has a reference timing from the start.
            self.input.start()
            self.output.start()
        except BaseException:
            self.close()
            raise

    @property
    def one_clock(self) -> bool:
        """Whether both are on one card, whose directions share a clock."""
        card = _card(self.input_device)
        return bool(card) and card == _card(self.output_device)

    @property
    def active(self) -> bool:
        """False once one of them has vanished."""
        return self.input.active and self.output.active

    def close(self) -> None:
        """Close both."""
        self.input.close()
        self.output.close()


def _open(
    backend: Backend,
    device: Device,
    direction: Direction,
    callback: _Callback,
    rate: int | None,
    server_s: float,
    card_s: float = CALLBACK_S,
    least_channels: int = 1,
) -> DeviceStream:
    callback_s = card_s if "hw:" in device.key else server_s
    return negotiate(
        backend, device, direction, callback, rate,
        callback_s=callback_s, least_channels=least_channels,
    )  # fmt: skip


def _card(device: Device) -> str:
    """Return the name of a directly opened card, "" otherwise."""
    return device.key.partition("hw:CARD=")[2].partition(",")[0]
