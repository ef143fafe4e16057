"""Which device a name means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from devices_fakes import ListedBackend, add_card, device, hold

from edge_vc_runtime.devices import (
    DeviceBusyError,
    DeviceError,
    DeviceGoneError,
    Direction,
    find_device,
    remember_device,
)

USB = device("USB Audio Device: Audio (hw:3,0)", 0, 1, 2, "plughw:CARD=Device,DEV=0")
HDMI = device("vc4-hdmi-0: MAI PCM (hw:1,0)", 1, 0, 8, "plughw:CARD=vc4hdmi0,DEV=0")
HEADSET = device("USB Headset: Audio (hw:4,0)", 2, 1, 2, "plughw:CARD=Headset,DEV=0")
PULSE = device("pulse", 3, 32, 32)
DEFAULT = device("default", 4, 32, 32)
ALL = [USB, HDMI, HEADSET, PULSE, DEFAULT]


@pytest.fixture
def backend() -> ListedBackend:
    return ListedBackend(list(ALL))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    add_card(tmp_path, 3, "Device", "USB Audio Device")
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "direction", "found"),
    [
        (USB.name, "input", USB),
        (USB.key, "input", USB),
        ("hw:CARD=Device", "input", USB),
        ("plughw:Device,0", "output", USB),
        ("hw:3,0", "input", USB),
        ("headset", "input", HEADSET),
        ("HDMI", "output", HDMI),
        ("card=headset", "output", HEADSET),
        ("default", "input", DEFAULT),
        (None, "input", DEFAULT),
        (None, "output", DEFAULT),
    ],
)
def test_a_name_means(
    backend: ListedBackend, root: Path, wanted: str | None, direction: Direction, found: object
) -> None:
    assert find_device(backend, wanted, direction, root=root) == found


def test_an_exact_name_wins_over_a_part(root: Path) -> None:
    backend = ListedBackend([device("mic 2", 0), device("mic", 1), device("a mic", 2)])
    assert find_device(backend, "mic", "input", root=root).index == 1


def test_an_ambiguous_part_lists_the_candidates(backend: ListedBackend, root: Path) -> None:
    with pytest.raises(DeviceError) as error:
        find_device(backend, "usb", "input", root=root)
    assert str(error.value) == (
        f"'usb' may mean {USB.name}, {HEADSET.name}; give more of the input's name"
    )


def test_two_devices_of_one_name_are_not_confused(root: Path) -> None:
    twins = [replace(USB, name="mic", index=n, key=f"plughw:CARD=M{n},DEV=0") for n in (0, 1)]
    with pytest.raises(DeviceError) as error:
        find_device(ListedBackend(twins), "mic", "input", root=root)
    assert str(error.value) == (
        "'mic' may mean plughw:CARD=M0,DEV=0, plughw:CARD=M1,DEV=0; give one of these"
    )
    assert find_device(ListedBackend(twins), twins[1].key, "input", root=root) is twins[1]


def test_a_number_is_found_with_a_warning(backend: ListedBackend, root: Path) -> None:
    said: list[str] = []
    assert find_device(backend, "2", "input", said.append, root) is HEADSET
    assert said == [
        "input 2 is USB Headset: Audio (hw:4,0) now; numbers change when a device is plugged in: "
        "--input 'plughw:CARD=Headset,DEV=0' keeps its meaning"
    ]
    with pytest.raises(DeviceGoneError, match="there is no input '77'"):
        find_device(backend, "77", "input", said.append, root)
    with pytest.raises(DeviceError, match="no input '1'|only plays"):
        find_device(backend, "1", "input", said.append, root)


@pytest.mark.parametrize("wanted", ["", "  ", "9" * 5000, "²", "none", "plughw:CARD=Nowhere,DEV=0"])
def test_nothing_of_that_name_lists_what_is_there(
    backend: ListedBackend, root: Path, wanted: str
) -> None:
    with pytest.raises(DeviceGoneError) as error:
        find_device(backend, wanted, "input", root=root)
    assert str(error.value).startswith("there is no input ")
    assert f"choose from {USB.name}, {HEADSET.name}, pulse, default" in str(error.value)
    assert len(str(error.value)) < 400


def test_the_other_direction_is_named(backend: ListedBackend, root: Path) -> None:
    with pytest.raises(DeviceError, match=r"vc4-hdmi-0: MAI PCM \(hw:1,0\) only plays; give as"):
        find_device(backend, "hdmi", "input", root=root)


def test_a_replugged_device_is_found_at_its_new_number(root: Path) -> None:
    backend = ListedBackend([USB, HEADSET])
    key = find_device(backend, "usb audio", "input", root=root).key
    backend.found = [HEADSET]
    with pytest.raises(DeviceGoneError):
        find_device(backend, key, "input", root=root)
    moved = replace(USB, name="USB Audio Device: Audio (hw:5,0)", index=7)
    backend.found = [HEADSET, moved]
    (root / "proc/asound/cards").unlink()
    add_card(root, 5, "Device", "USB Audio Device")
    assert find_device(backend, key, "input", root=root) is moved


def test_a_card_that_portaudio_hides_is_busy(root: Path) -> None:
    backend = ListedBackend([DEFAULT])
    hold(root, "card3/pcm0c", 812, "arecord")
    for wanted in (USB.key, "hw:3", "usb audio"):
        with pytest.raises(DeviceBusyError) as error:
            find_device(backend, wanted, "input", root=root)
        assert "(USB Audio Device) is in use by arecord (process 812); stop it" in str(error.value)
    with pytest.raises(DeviceGoneError):
        find_device(backend, USB.key, "output", root=root)


def test_without_a_default_the_first_of_the_direction(root: Path) -> None:
    assert find_device(ListedBackend([HDMI, USB]), None, "input", root=root) is USB
    assert find_device(ListedBackend([HDMI, PULSE]), None, "output", root=root) is PULSE
    with pytest.raises(DeviceGoneError, match=r"there is no input: vc4-hdmi-0.* only plays"):
        find_device(ListedBackend([HDMI]), None, "input", root=root)
    with pytest.raises(DeviceGoneError, match="no sound server runs: use a card directly"):
        find_device(ListedBackend([]), None, "input", root=root)


def test_a_server_of_another_user_is_not_passed_over_in_silence(root: Path) -> None:
    said: list[str] = []
    backend = ListedBackend([USB])
    assert find_device(backend, None, "input", said.append, root) is USB
    assert said == [], "no server runs here, a card is all there is"
    (root / "run/user/12345").mkdir(parents=True)
    (root / "run/user/12345/pipewire-0").touch()
    assert find_device(backend, None, "input", said.append, root) is USB
    assert said[0].startswith(f"input is {USB.name}, since PipeWire runs in the session of 12345 ")
    said.clear()
    find_device(backend, "usb", "input", said.append, root)
    find_device(ListedBackend([USB, DEFAULT]), None, "input", said.append, root)
    assert said == []


def test_the_remembered_device_is_the_default(backend: ListedBackend, root: Path) -> None:
    remember_device("input", HEADSET.key)
    assert find_device(backend, None, "input", root=root) is HEADSET
    assert find_device(backend, None, "output", root=root) is DEFAULT
    assert find_device(backend, "default", "input", root=root) is DEFAULT
    hold(root, "card3/pcm0c", 812, "arecord")
    remember_device("input", USB.key)
    backend.found.remove(USB)
    with pytest.raises(DeviceBusyError, match="in use by arecord"):
        find_device(backend, None, "input", root=root)
    remember_device("input", HEADSET.key)
    backend.found.remove(HEADSET)
    with pytest.raises(DeviceGoneError) as error:
        find_device(backend, None, "input", root=root)
    assert str(error.value) == (
        "the remembered input 'plughw:CARD=Headset,DEV=0' is not there; plug it in, or choose "
        "another with --input NAME"
    )
