"""PyAudio in callback mode: the default back end."""

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
from edge_vc_runtime.devices.pyaudio_stream import PyAudioInput, PyAudioOutput, PyAudioStream

_TYPES = {"float32": "paFloat32", "int16": "paInt16", "int32": "paInt32"}


class PyAudioBackend:
    """PortAudio through PyAudio."""

    name = "pyaudio"

    def __init__(self) -> None:
        import pyaudio

        # libjack would start a server, which takes the card away from all other programs.
        os.environ.setdefault("JACK_NO_START_SERVER", "1")
        self._library = pyaudio
        self._portaudio: Any = None
        self._streams: list[PyAudioStream] = []
        self._prepared = False

    def prepare(self) -> None:
        """Start PortAudio, which queries every card: 0.1 s with a sound server."""
        with suppress(DeviceError):
            self._audio()
            self._prepared = True

    def devices(self) -> list[Device]:
        """Return the devices; PortAudio is restarted unless a stream is open."""
        self._streams = [each for each in self._streams if each.hung or not each.closed]
        with captured_stderr():
            if not self._streams and not self._prepared:
                self._terminate()
            self._prepared = False
            audio = self._audio()
            return [self._device(index) for index in range(audio.get_device_count())]

    def rates(self, device: Device, direction: Direction) -> tuple[int, ...]:
        """Return the common rates at which PortAudio can open a device."""
        channels = min(device.channels(direction), 2)
        with captured_stderr():
            return tuple(r for r in USUAL_RATES if self._takes(device, direction, channels, r))

    def open_input(
        self, device: Device, format: StreamFormat, callback: InputCallback
    ) -> PyAudioInput:
        """Open a device for recording."""
        made = PyAudioInput(format, callback)
        self._open(made, device, "input")
        return made

    def open_output(
        self, device: Device, format: StreamFormat, callback: OutputCallback
    ) -> PyAudioOutput:
        """Open a device for playing."""
        made = PyAudioOutput(format, callback)
        self._open(made, device, "output")
        return made

    def close(self) -> None:
        """Close the streams and PortAudio, unless it hangs: terminating it would also hang."""
        for stream in self._streams:
            with suppress(DeviceHungError):
                stream.close()
        if not any(stream.hung for stream in self._streams):
            self._streams.clear()
            self._terminate()

    def _audio(self) -> Any:
        if self._portaudio is None:
            try:
                self._portaudio = self._library.PyAudio()
            except OSError as error:
                raise DeviceError(f"PortAudio does not start: {error}") from error
        return self._portaudio

    def _terminate(self) -> None:
        if self._portaudio is not None:
            self._portaudio.terminate()
            self._portaudio = None

    def _device(self, index: int) -> Device:
        audio = self._audio()
        info = audio.get_device_info_by_index(index)
        return portaudio_device(
            index,
            str(info["name"]),
            str(audio.get_host_api_info_by_index(info["hostApi"])["name"]),
            (info["maxInputChannels"], info["maxOutputChannels"]),
            info["defaultSampleRate"],
            (info["defaultLowInputLatency"], info["defaultLowOutputLatency"]),
        )

    def _takes(self, device: Device, direction: Direction, channels: int, rate: int) -> bool:
        try:
            return bool(
                self._audio().is_format_supported(
                    rate,
                    **{
                        f"{direction}_device": device.index,
                        f"{direction}_channels": channels,
                        f"{direction}_format": self._library.paInt16,
                    },
                )
            )
        except (ValueError, OSError):
            return False

    def _open(self, made: PyAudioStream, device: Device, direction: Direction) -> None:
        format = made.format
        failure = None
        with captured_stderr() as noise:
            try:
                made.opened(
                    self._audio().open(
                        rate=format.sample_rate,
                        channels=format.channels,
                        format=getattr(self._library, _TYPES[format.sample_type]),
                        frames_per_buffer=format.frames,
                        start=False,
                        stream_callback=made.call,
                        **{direction: True, f"{direction}_device_index": device.index},
                    ),
                    device.name,
                )
            except (OSError, ValueError) as error:
                code, text = error_code(error)
                failure = (code, text, error)
        if failure is not None:
            code, text, cause = failure
            what = OpeningFailure(device, direction, format, code, text, tuple(noise))
            raise what.error(lambda: self.rates(device, direction)) from cause
        self._streams.append(made)


def _open_pyaudio(latency_ms: float | None) -> PyAudioBackend:
    if latency_ms is not None:
        raise DeviceError(
            f"back end pyaudio cannot be told a latency ({latency_ms:g} ms); "
            "use --backend sounddevice for this"
        )
    return PyAudioBackend()


PYAUDIO = BackendKind(
    name="pyaudio",
    usage="PortAudio at the card's low latency",
    open=_open_pyaudio,
    extra="live",
    hint="it is built there: apt install portaudio19-dev python3-dev gcc; "
    "or without a compiler: pip install 'edge-vc-runtime[sounddevice]'",
)
