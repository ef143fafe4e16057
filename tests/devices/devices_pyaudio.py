"""A PyAudio without PortAudio, as far as the back end uses it."""

from __future__ import annotations

from types import ModuleType
from typing import Any


class FakeStream:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.active = False
        self.closed = False

    def start_stream(self) -> None:
        self.active = True

    def is_active(self) -> bool:
        return self.active

    def get_input_latency(self) -> float:
        return 0.0105

    def get_output_latency(self) -> float:
        return 0.02

    def close(self) -> None:
        self.active = False
        self.closed = True


class FakePyAudio(ModuleType):
    """The module; its ``cards`` are read each time that PortAudio starts."""

    def __init__(self) -> None:
        super().__init__("pyaudio")
        self.__dict__.update(paFloat32=1, paInt32=2, paInt16=8)
        self.cards: list[tuple[str, int, int]] = []
        self.starts = 0
        self.refuse: Exception | None = None
        self.rates = (44100, 48000)
        self.made: list[FakeStream] = []

    def PyAudio(self) -> FakePortAudio:
        return FakePortAudio(self)


class FakePortAudio:
    def __init__(self, module: FakePyAudio) -> None:
        module.starts += 1
        self.module = module
        self.cards = list(module.cards)

    def terminate(self) -> None:
        self.cards = []

    def get_device_count(self) -> int:
        return len(self.cards)

    def get_host_api_info_by_index(self, index: int) -> dict[str, Any]:
        return {"name": "ALSA"}

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        name, inputs, outputs = self.cards[index]
        return {
            "name": name, "hostApi": 0, "maxInputChannels": inputs, "maxOutputChannels": outputs,
            "defaultSampleRate": 44100.0, "defaultLowInputLatency": 0.0087,
            "defaultLowOutputLatency": 0.0086,
        }  # fmt: skip

    def is_format_supported(self, rate: int, **settings: Any) -> bool:
        if rate not in self.module.rates:
            raise ValueError("Invalid sample rate", -9997)
        return True

    def open(self, **settings: Any) -> FakeStream:
        if self.module.refuse is not None:
            raise self.module.refuse
        self.module.made.append(FakeStream(settings))
        return self.module.made[-1]
