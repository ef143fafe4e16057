"""What a sound back end is: devices, formats, and streams that call back.

The audio loop knows only this protocol. A back end is a file beside this one, or a distribution of
its own; see `edge_vc_runtime.devices.backends`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray

SampleType = Literal["float32", "int16", "int32"]
"""Names that numpy knows too. Full scale is 1.0, 2**15 or 2**31."""
Direction = Literal["input", "output"]

InputCallback = Callable[[NDArray[Any], bool], None]
"""Takes ``[frames, channels]`` in the format's sample type, valid during the call only, and whether
samples were lost before these. Runs on the back end's thread: it must not raise, wait or log."""
OutputCallback = Callable[[NDArray[Any], bool], None]
"""Fills ``[frames, channels]`` completely; the flag says that the card had to wait for samples.
Runs on the back end's thread: it must not raise, wait or log."""


@dataclass(frozen=True)
class Device:
    """A sound device as a back end sees it now."""

    name: str
    """As the system calls it; it may be long and hold any printable character."""
    key: str
    """What is stored to find it again: ``plughw:CARD=Device,DEV=0``, or the name."""
    index: int
    """The back end's number, valid until its next `Backend.devices`."""
    api: str
    """The sound system underneath: ``ALSA``, ``PulseAudio``."""
    inputs: int
    """Most input channels, 0 for a device that only plays."""
    outputs: int
    """Most output channels, 0 for a device that only records."""
    default_rate: int
    """Sample rate in Hz that it suggests."""
    low_input_ms: float
    """Latency in ms that its input suggests for live use."""
    low_output_ms: float
    """Latency in ms that its output suggests for live use."""

    def channels(self, direction: Direction) -> int:
        """Return the most channels of one direction."""
        return self.inputs if direction == "input" else self.outputs


@dataclass(frozen=True)
class StreamFormat:
    """How a stream is opened."""

    sample_rate: int
    """Hz, the card's own."""
    channels: int
    sample_type: SampleType
    frames: int
    """Frames per callback. It sets the card's buffer, not the model's hop."""


class DeviceStream(Protocol):
    """An opened device that calls back once per ``format.frames`` frames after `start`."""

    @property
    def format(self) -> StreamFormat:
        """What it was opened with."""

    @property
    def latency_ms(self) -> float | None:
        """The card's buffer in ms as the back end reports it, None where it does not."""

    @property
    def active(self) -> bool:
        """True from `start` until `close`, or until the device vanishes."""

    def start(self) -> None:
        """Begin to call back; raises `DeviceError`."""

    def close(self) -> None:
        """Stop and free the device, harmless when repeated or when the device is gone.

        After it returns no callback runs.
        """


class Backend(Protocol):
    """A library that reaches sound devices."""

    @property
    def name(self) -> str:
        """What ``--backend`` calls it."""

    def devices(self) -> list[Device]:
        """Return what is there now, devices that were plugged in since included.

        While one of its streams is open, a back end may return what was there before: a library
        that has to be started anew for this would close them. Empty where there is no device.
        """

    def rates(self, device: Device, direction: Direction) -> tuple[int, ...]:
        """Return the usual sample rates in Hz that a device takes, found by asking it for each.

        Empty where it cannot be asked, because another program has it.
        """

    def open_input(
        self, device: Device, format: StreamFormat, callback: InputCallback
    ) -> DeviceStream:
        """Open a device for recording; ``device`` comes from the last `devices`.

        Raises `DeviceBusyError`, `DeviceGoneError`, `FormatRefusedError` for a format that it does
        not take, and `DeviceError` for everything else.
        """

    def open_output(
        self, device: Device, format: StreamFormat, callback: OutputCallback
    ) -> DeviceStream:
        """Open a device for playing; raises as `open_input` does."""

    def close(self) -> None:
        """Close every stream and the library; harmless when repeated."""


@runtime_checkable
class Preparable(Protocol):
    """A back end whose library takes long to start."""

    def prepare(self) -> None:
        """Start it on any thread, before anything else of the back end is used.

        What the library writes to stderr meanwhile is not held back, because other threads may
        redirect that descriptor; a failure is left to the next call, which raises it.
        """
