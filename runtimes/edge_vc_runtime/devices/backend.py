"""The protocol of sound back ends: devices, formats, and callback streams.

The audio loop only knows this protocol. A back end is a file beside this one, or a separate
distribution; see `edge_vc_runtime.devices.backends`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray

SampleType = Literal["float32", "int16", "int32"]
"""Names as in numpy. Full scale is 1.0, 2**15 or 2**31."""
Direction = Literal["input", "output"]

InputCallback = Callable[[NDArray[Any], bool], None]
"""Takes ``[frames, channels]`` in the format's sample type, valid only during the call, and whether
samples were lost before these. Runs on the back end's thread: it must not raise, wait or log."""
OutputCallback = Callable[[NDArray[Any], bool], None]
"""Fills ``[frames, channels]`` completely; the flag means that the card had to wait for samples.
Runs on the back end's thread: it must not raise, wait or log."""


@dataclass(frozen=True)
class Device:
    """A sound device as currently seen by a back end."""

    name: str
    """The system's name for it; may be long and contain any printable character."""
    key: str
    """Stored to find it again: ``plughw:CARD=Device,DEV=0``, or the name."""
    index: int
    """The back end's number, valid until its next `Backend.devices`."""
    api: str
    """The underlying sound system: ``ALSA``, ``PulseAudio``."""
    inputs: int
    """Maximum number of input channels, 0 for a device that only plays."""
    outputs: int
    """Maximum number of output channels, 0 for a device that only records."""
    default_rate: int
    """Its suggested sample rate in Hz."""
    low_input_ms: float
    """Its suggested input latency in ms for live use."""
    low_output_ms: float
    """Its suggested output latency in ms for live use."""

    def channels(self, direction: Direction) -> int:
        """Return the maximum number of channels of one direction."""
        return self.inputs if direction == "input" else self.outputs


@dataclass(frozen=True)
class StreamFormat:
    """The format in which a stream is opened."""

    sample_rate: int
    """Hz, of the card."""
    channels: int
    sample_type: SampleType
    frames: int
    """Frames per callback. This determines the card's buffer, not the model's hop."""


class DeviceStream(Protocol):
    """An opened device that calls back once per ``format.frames`` frames after `start`."""

    @property
    def format(self) -> StreamFormat:
        """The format in which it was opened."""

    @property
    def latency_ms(self) -> float | None:
        """The card's buffer in ms as reported by the back end, None if it does not report it."""

    @property
    def active(self) -> bool:
        """True from `start` until `close`, or until the device vanishes."""

    def start(self) -> None:
        """Start the callbacks; raises `DeviceError`."""

    def close(self) -> None:
        """Stop and release the device; harmless if repeated or if the device is gone.

        No callback runs after it returns.
        """


class Backend(Protocol):
    """A library that gives access to sound devices."""

    @property
    def name(self) -> str:
        """Its name for ``--backend``."""

    def devices(self) -> list[Device]:
        """Return the current devices, including any plugged in since the last call.

        While one of its streams is open, a back end may return an earlier list: a library that has
        to be restarted for this would close them. Empty if there is no device.
        """

    def rates(self, device: Device, direction: Direction) -> tuple[int, ...]:
        """Return the common sample rates in Hz that a device supports, by trying each.

        Empty if they cannot be tried because another program uses the device.
        """

    def open_input(
        self, device: Device, format: StreamFormat, callback: InputCallback
    ) -> DeviceStream:
        """Open a device for recording; ``device`` comes from the last `devices`.

        Raises `DeviceBusyError`, `DeviceGoneError`, `FormatRefusedError` for an unsupported format,
        and `DeviceError` for everything else.
        """

    def open_output(
        self, device: Device, format: StreamFormat, callback: OutputCallback
    ) -> DeviceStream:
        """Open a device for playing; raises as `open_input` does."""

    def close(self) -> None:
        """Close every stream and the library; may be called repeatedly."""


@runtime_checkable
class Preparable(Protocol):
    """A back end whose library is slow to start."""

    def prepare(self) -> None:
        """Start it on any thread, before anything else in the back end is used.

        The library's output to stderr in the meantime is not suppressed, because other threads may
        redirect that descriptor; a failure is raised by the next call.
        """
