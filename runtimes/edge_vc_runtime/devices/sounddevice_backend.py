"""python-sounddevice: PortAudio with a selectable latency.

PortAudio's ALSA ring is ``frames + max(frames, latency)``: with 120 frames at 48 kHz and a latency
of 2.5 ms it holds 5 ms. Cost of a callback: cffi creates a view of the samples, a struct of times
and a flags object for each call.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from edge_vc_runtime.devices.backend import (
    Device,
    Direction,
    InputCallback,
    OutputCallback,
    StreamFormat,
)
from edge_vc_runtime.devices.error import DeviceError, DeviceHungError
from edge_vc_runtime.devices.kind import BackendKind
from edge_vc_runtime.devices.library_noise import captured_stderr
from edge_vc_runtime.devices.portaudio import (
    USUAL_RATES,
    OpeningFailure,
    error_code,
    portaudio_device,
)
from edge_vc_runtime.devices.sounddevice_stream import SoundDeviceStream
from edge_vc_runtime.message import one_line


class SoundDeviceBackend:
    """PortAudio through python-sounddevice."""

    name = "sounddevice"

    def __init__(self, latency_ms: float | None = None) -> None:
        """Load the library; ``latency_ms`` is requested from every device, None: its low one."""
        if latency_ms is not None and not 0 < latency_ms <= 1000:
            raise DeviceError(f"a latency of {latency_ms:g} ms; it has to be above 0, at most 1000")
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        with captured_stderr():  # importing it starts PortAudio
            import sounddevice
        self._library: Any = sounddevice
        self._latency = "low" if latency_ms is None else latency_ms / 1e3
        self._streams: list[SoundDeviceStream] = []

    def devices(self) -> list[Device]:
        """Return the devices; PortAudio is restarted unless a stream is open."""
        self._streams = [each for each in self._streams if each.hung or not each.closed]
        with captured_stderr():
            if not self._streams:
                # The documented functions read PortAudio's list; only a restart updates it.
                self._terminate()
                self._initialize()
            apis = [str(api["name"]) for api in self._library.query_hostapis()]
            return [_device(info, apis) for info in self._library.query_devices()]

    def rates(self, device: Device, direction: Direction) -> tuple[int, ...]:
        """Return the common rates at which PortAudio can open a device."""
        channels = min(device.channels(direction), 2)
        with captured_stderr():
            return tuple(r for r in USUAL_RATES if self._takes(device, direction, channels, r))

    def open_input(
        self, device: Device, format: StreamFormat, callback: InputCallback
    ) -> SoundDeviceStream:
        """Open a device for recording."""
        made = SoundDeviceStream(format)

        def call(data: Any, frames: int, times: Any, status: Any) -> None:
            made.watch.calls += 1
            callback(data, status.input_overflow)

        self._open(made, device, "input", call)
        return made

    def open_output(
        self, device: Device, format: StreamFormat, callback: OutputCallback
    ) -> SoundDeviceStream:
        """Open a device for playing."""
        made = SoundDeviceStream(format)

        def call(data: Any, frames: int, times: Any, status: Any) -> None:
            made.watch.calls += 1
            callback(data, status.output_underflow)

        self._open(made, device, "output", call)
        return made

    def close(self) -> None:
        """Close the streams and PortAudio, unless it hangs: terminating it would also hang."""
        for stream in self._streams:
            with suppress(DeviceHungError):
                stream.close()
        if not any(stream.hung for stream in self._streams):
            self._streams.clear()
            self._terminate()

    def _initialize(self) -> None:
        try:
            self._library._initialize()
        except self._library.PortAudioError as error:
            raise DeviceError(f"PortAudio does not start: {one_line(error)}") from error

    def _terminate(self) -> None:
        while self._library._initialized:  # it is a counter that includes the import
            self._library._terminate()

    def _takes(self, device: Device, direction: Direction, channels: int, rate: int) -> bool:
        check = getattr(self._library, f"check_{direction}_settings")
        try:
            check(device=device.index, channels=channels, dtype="int16", samplerate=rate)
        except (self._library.PortAudioError, ValueError):
            return False
        return True

    def _open(
        self, made: SoundDeviceStream, device: Device, direction: Direction, call: Any
    ) -> None:
        format = made.format
        open_stream = (
            self._library.InputStream if direction == "input" else self._library.OutputStream
        )
        failure = None
        with captured_stderr() as noise:
            try:
                stream = open_stream(
                    samplerate=format.sample_rate,
                    blocksize=format.frames,
                    device=device.index,
                    channels=format.channels,
                    dtype=format.sample_type,
                    latency=self._latency,
                    callback=call,
                )
                made.opened(stream, device.name)
            except (self._library.PortAudioError, ValueError) as error:
                failure = error
        if failure is not None:
            code, text = error_code(failure)
            what = OpeningFailure(device, direction, format, code, text, tuple(noise))
            raise what.error(lambda: self.rates(device, direction)) from failure
        self._streams.append(made)


def _device(info: Any, apis: list[str]) -> Device:
    return portaudio_device(
        int(info["index"]),
        str(info["name"]),
        apis[info["hostapi"]],
        (info["max_input_channels"], info["max_output_channels"]),
        info["default_samplerate"],
        (info["default_low_input_latency"], info["default_low_output_latency"]),
    )


SOUNDDEVICE = BackendKind(
    name="sounddevice",
    usage="PortAudio at a latency of your choice",
    open=SoundDeviceBackend,
    extra="sounddevice",
    hint="it needs: apt install libportaudio2",
)
