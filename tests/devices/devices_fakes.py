"""A made-up kernel under a folder, and a back end without a card."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_vc_runtime.devices import (
    Device,
    DeviceGoneError,
    Direction,
    FormatRefusedError,
    StreamFormat,
)


def device(
    name: str, index: int = 0, inputs: int = 2, outputs: int = 2, key: str = "", rate: int = 48000
) -> Device:
    return Device(name, key or name, index, "ALSA", inputs, outputs, rate, 8.7, 8.7)


def add_card(
    root: Path, number: int, id: str, name: str, inputs: Sequence[int] = (0,),
    outputs: Sequence[int] = (0,),
) -> None:  # fmt: skip
    """Add a card to ``/proc/asound``, as the kernel shows one."""
    folder = root / "proc/asound"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "cards").open("a") as cards:
        cards.write(f"{number:>2} [{id:<15}]: USB-Audio - {name}\n")
        cards.write(f"                      {name} at usb-0000:01:00.0-1.2, full speed\n")
    (root / "dev/snd").mkdir(parents=True, exist_ok=True)
    for letter, numbers in (("c", inputs), ("p", outputs)):
        for each in numbers:
            status = folder / f"card{number}/pcm{each}{letter}/sub0/status"
            status.parent.mkdir(parents=True)
            status.write_text("closed\n")
            (root / f"dev/snd/pcmC{number}D{each}{letter}").touch()


def hold(root: Path, pcm: str, pid: int, program: str, thread: int | None = None) -> None:
    """Let a program hold ``card1/pcm0p``; ``thread`` is the one of it that opened the card."""
    status = root / f"proc/asound/{pcm}/sub0/status"
    status.write_text(f"state: RUNNING\nowner_pid   : {thread or pid}\ntrigger_time: 12.3\n")
    for number in {pid, thread or pid}:
        folder = root / f"proc/{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "comm").write_text(f"{program if number == pid else 'data-loop.0'}\n")
        (folder / "status").write_text(f"Name:\tx\nTgid:\t{pid}\nPid:\t{number}\n")


class SilentStream:
    """A stream that never calls back."""

    latency_ms = 10.0
    active = False

    def __init__(self, format: StreamFormat) -> None:
        self.format = format

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active = False


@dataclass
class ListedBackend:
    """A back end with given devices that takes given formats."""

    found: list[Device] = field(default_factory=list)
    takes: Callable[[StreamFormat], str | None] = lambda format: None
    """Returns the part of a format that is refused."""
    tried: list[StreamFormat] = field(default_factory=list)
    gone: Collection[str] = ()
    name: str = "listed"

    def devices(self) -> list[Device]:
        return list(self.found)

    def rates(self, device: Device, direction: Direction) -> tuple[int, ...]:
        return (44100, 48000)

    def open_input(self, device: Device, format: StreamFormat, callback: object) -> SilentStream:
        self.tried.append(format)
        if device.name in self.gone:
            raise DeviceGoneError(f"{device.name} is not there any more")
        part = self.takes(format)
        if part is not None:
            raise FormatRefusedError(f"no {part} {getattr(format, part, '')}", part)
        return SilentStream(format)

    open_output = open_input

    def close(self) -> None:
        pass
