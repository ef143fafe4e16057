"""Why a card cannot be opened: busy, gone, no permission, somebody else's sound server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from devices_fakes import add_card, device, hold

from edge_vc_runtime.devices import DeviceBusyError, DeviceError, DeviceGoneError, StreamFormat
from edge_vc_runtime.devices.portaudio import OpeningFailure, portaudio_device
from edge_vc_runtime.devices.sound_system import (
    explain_no_device,
    explain_no_server,
    session_servers,
)

USB = device("USB: Audio (hw:1,0)", key="plughw:CARD=Device,DEV=0")
DEFAULT = device("default")
FORMAT = StreamFormat(48000, 1, "float32", 120)
ILLEGAL, UNAVAILABLE = -9993, -9985


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    return tmp_path


def failure(made: object, code: int, *details: str) -> OpeningFailure:
    return OpeningFailure(made, "input", FORMAT, code, "PortAudio says so", details)


def error(root: Path, *arguments: object) -> DeviceError:
    return failure(*arguments).error(tuple, root)


def test_a_key_names_the_card_and_not_its_number(root: Path) -> None:
    add_card(root, 1, "Device", "USB")
    made = portaudio_device(0, USB.name, "ALSA", (1, 0), 48000.0, (0.01, 0.0), root)
    assert made.key == "plughw:CARD=Device,DEV=0"


def test_a_busy_card_names_its_holder(root: Path) -> None:
    add_card(root, 1, "Device", "USB")
    made = error(root, USB, UNAVAILABLE)
    assert isinstance(made, DeviceBusyError)
    assert "in use by another program" in str(made)
    hold(root, "card1/pcm0c", 44, "arecord")
    assert str(error(root, USB, UNAVAILABLE)) == (
        "USB: Audio (hw:1,0) is in use by arecord (process 44); stop it, or choose another device"
    )
    hold(root, "card1/pcm0c", 45, "pipewire", thread=46)
    made = error(root, USB, ILLEGAL)
    assert isinstance(made, DeviceBusyError)
    assert str(made) == (
        "USB: Audio (hw:1,0) is in use by pipewire (process 45); use the device 'default', which "
        "goes through it"
    )


def test_a_card_that_was_pulled_is_gone(root: Path) -> None:
    made = error(root, USB, ILLEGAL)
    assert isinstance(made, DeviceGoneError)
    assert str(made) == "USB: Audio (hw:1,0) is not there any more; plug it in again"


def test_a_missing_permission_names_the_group(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_card(root, 1, "Device", "USB")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    text = str(error(root, USB, ILLEGAL))
    assert text.startswith("USB: Audio (hw:1,0) cannot be opened as input: no permission for ")
    assert "pcmC1D0c; run: sudo usermod -aG " in text
    assert text.endswith(" $USER, then log out and in again")
    assert explain_no_device(root).startswith(f"no permission for {root}/dev/snd: sudo usermod")


def test_what_alsa_said_last_is_kept(root: Path) -> None:
    add_card(root, 1, "Device", "USB")
    text = str(
        error(
            root, USB, -9999,
            "ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM x",
            "ALSA lib pcm_hw.c:1829:(_snd_pcm_hw_open) Invalid value\x1b for card",
            "jack server is not running",
        )
    )  # fmt: skip
    assert text == (
        "USB: Audio (hw:1,0) cannot be opened as input: PortAudio says so (ALSA: Invalid "
        "value\\x1b for card)"
    )


def session(root: Path, uid: int, *sockets: str) -> None:
    for socket in sockets:
        path = root / f"run/user/{uid}" / socket
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_root_and_a_users_server(root: Path) -> None:
    session(root, 12345, "pipewire-0", "pulse/native")
    assert [(each.name, each.user) for each in session_servers(root)] == [("PipeWire", "12345")]
    add_card(root, 1, "Device", "USB")
    assert explain_no_server(root, 0) == (
        "PipeWire runs in the session of 12345 and root cannot use it: run as 12345 (a service: "
        "systemctl --user, and once sudo loginctl enable-linger 12345), or use a card directly, "
        "by its name: plughw:CARD=Device,DEV=0"
    )
    assert "and user 54321 cannot use it" in explain_no_server(root, 54321)
    assert explain_no_server(root, 12345) == "", "the owner can"
    assert str(failure(DEFAULT, ILLEGAL).error(tuple, root)).startswith(
        "default cannot be opened as input: PipeWire runs in the session of 12345"
    )


def test_no_server_and_cards(root: Path) -> None:
    assert "the kernel has no sound card: plug one in" in explain_no_server(root, 1000)
    add_card(root, 1, "Device", "USB", inputs=(0,), outputs=(0, 1))
    assert explain_no_server(root, 1000) == (
        "no sound server runs: use a card directly, by its name: plughw:CARD=Device,DEV=0, "
        "plughw:CARD=Device,DEV=1"
    )


def test_a_server_without_the_alsa_plugin(root: Path) -> None:
    session(root, os.getuid(), "pulse/native")
    assert explain_no_device(root, os.getuid()) == (
        "a sound server runs, and no ALSA device leads to it: apt install libasound2-plugins (or "
        "pipewire-alsa)"
    )


def test_a_server_that_is_named_and_does_not_answer(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSE_SERVER", "tcp:nowhere\x1b")
    assert explain_no_device(root) == "no sound server answers at PULSE_SERVER=tcp:nowhere\\x1b"
