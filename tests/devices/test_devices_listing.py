"""The list of devices, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from devices_fakes import ListedBackend, add_card, device, hold

from edge_vc_runtime.cli import main
from edge_vc_runtime.devices import (
    BackendKind,
    register_backend,
    remembered_devices,
    unregister_backend,
)
from edge_vc_runtime.devices.device_table import describe_devices
from edge_vc_runtime.devices.listing import list_devices

LONG = "A microphone with a name that is longer than a column (hw:1,0)"
MINE = [
    device(LONG, 0, 1, 0, "plughw:CARD=Device,DEV=0"),
    device("vc4-hdmi-0: MAI PCM (hw:0,0)", 1, 0, 8, "plughw:CARD=vc4hdmi0,DEV=0"),
    device("default", 2, 32, 32),
]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    add_card(tmp_path, 0, "vc4hdmi0", "vc4-hdmi-0", inputs=())
    add_card(tmp_path, 1, "Device", "A microphone", outputs=())
    return tmp_path


@pytest.fixture
def mine() -> Iterator[ListedBackend]:
    backend = ListedBackend(list(MINE), name="mine")
    register_backend(BackendKind("mine", "a test's own", lambda ms: backend, remedy="buy one"))
    register_backend(BackendKind("twin", "alike", lambda ms: ListedBackend(MINE), remedy="x"))
    yield backend
    unregister_backend("mine")
    unregister_backend("twin")


def test_the_table_fits_a_terminal(root: Path, mine: ListedBackend) -> None:
    hold(root, "card1/pcm0c", 812, "arecord")
    lines = describe_devices(list_devices("mine", root))
    assert max(map(len, lines)) <= 100
    assert lines == [
        "mine: inputs                                channels   latency  rates in kHz",
        "  A microphone with a name that is long...         1    8.7 ms  44.1 48",
        "    plughw:CARD=Device,DEV=0",
        "* default                                         32    8.7 ms  44.1 48",
        "mine: outputs                               channels   latency  rates in kHz",
        "  vc4-hdmi-0: MAI PCM (hw:0,0)                     8    8.7 ms  44.1 48",
        "    plughw:CARD=vc4hdmi0,DEV=0",
        "* default                                         32    8.7 ms  44.1 48",
        "",
        "cards of the kernel",
        "  plughw:CARD=vc4hdmi0,DEV=0  vc4-hdmi-0: output free",
        "  plughw:CARD=Device,DEV=0  A microphone: input in use by arecord (process 812)",
        "",
        "* is used where no name is given. --input and --output take a name, a part of it,",
        "or the line below it, which keeps its meaning when cards are plugged in.",
    ]


def test_a_device_that_cannot_be_asked(
    root: Path, mine: ListedBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mine, "rates", lambda device, direction: ())
    hold(root, "card1/pcm0c", 812, "arecord")
    lines = describe_devices(list_devices("mine", root))
    assert lines[1].endswith("  in use by arecord (process 812)")
    assert lines[3].endswith("  does not open")


def test_the_same_devices_are_listed_once(root: Path, mine: ListedBackend) -> None:
    listing = list_devices(root=root)
    names = [each.name for each in listing.backends]
    assert names[-2:] == ["mine", "listed"]
    assert "listed: the same devices as mine" in describe_devices(listing)


def test_a_server_of_another_user_is_named(root: Path, mine: ListedBackend) -> None:
    (root / "run/user/12345").mkdir(parents=True)
    (root / "run/user/12345/pipewire-0").touch()
    lines = describe_devices(list_devices("mine", root))
    assert any(line.startswith("PipeWire runs in the session of 12345") for line in lines)
    assert max(map(len, lines)) <= 100


def test_no_device_says_why(root: Path, mine: ListedBackend) -> None:
    mine.found = []
    listing = list_devices("mine", root)
    assert listing.empty
    assert describe_devices(listing)[0].startswith("mine: no sound server runs: use a card direct")


def test_the_verb_remembers_and_forgets(
    root: Path, mine: ListedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--remember-input", "LONGER than", "--remember-output", "1"]
    assert main(["devices", "--backend", "mine", *chosen]) == 0
    captured = capsys.readouterr()
    assert remembered_devices() == {
        "input": "plughw:CARD=Device,DEV=0", "output": "plughw:CARD=vc4hdmi0,DEV=0",
    }  # fmt: skip
    assert f"input: {LONG} is remembered in " in captured.err
    assert "output 1 is vc4-hdmi-0: MAI PCM (hw:0,0) now; numbers change" in captured.err
    assert "remembered input: plughw:CARD=Device,DEV=0\n" in captured.out
    assert "\n* vc4-hdmi-0: MAI PCM (hw:0,0) " in captured.out
    assert "\n  default " in captured.out
    assert main(["devices", "--backend", "mine", "--forget"]) == 0
    assert remembered_devices() == {}


def test_json_holds_everything(
    root: Path, mine: ListedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", "--backend", "mine", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert set(made) == {"backends", "cards", "remembered", "notice"}
    assert made["backends"][0]["input"][0] == {
        "name": LONG, "key": "plughw:CARD=Device,DEV=0", "channels": 1, "low_latency_ms": 8.7,
        "rates": [44100, 48000], "holders": [], "default": False, "remembered": False,
    }  # fmt: skip


def test_a_wrong_name_is_one_line(
    root: Path, mine: ListedBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", "--backend", "mine", "--remember-input", "none"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "edge-vc-rt devices: error: there is no input 'none'; choose from " + LONG + ", default\n"
    )
    mine.found = []
    assert main(["devices", "--backend", "mine"]) == 1
