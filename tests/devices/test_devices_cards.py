"""Cards and their holders, from a made-up ``/proc``."""

from __future__ import annotations

from pathlib import Path

import pytest
from devices_fakes import add_card, hold

from edge_vc_runtime.devices.cards import (
    CardHolder,
    card_holders,
    find_card,
    is_alsa_name,
    sound_cards,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add_card(tmp_path, 0, "Headphones", "bcm2835 Headphones", inputs=())
    add_card(tmp_path, 3, "Device", "USB Audio Device", inputs=(0, 1))
    return tmp_path


def test_cards_are_listed_with_their_devices(root: Path) -> None:
    headphones, usb = sound_cards(root)
    assert (headphones.number, headphones.id, headphones.name) == (
        0, "Headphones", "bcm2835 Headphones",
    )  # fmt: skip
    assert (headphones.inputs, headphones.outputs) == ((), (0,))
    assert (usb.number, usb.inputs, usb.outputs) == (3, (0, 1), (0,))
    assert usb.key(1) == "plughw:CARD=Device,DEV=1"
    assert usb.numbers("input") == (0, 1)


def test_a_kernel_without_sound_has_none(tmp_path: Path) -> None:
    assert sound_cards(tmp_path) == ()
    (tmp_path / "proc/asound").mkdir(parents=True)
    (tmp_path / "proc/asound/cards").write_text("--- no soundcards ---\n")
    assert sound_cards(tmp_path) == ()


def test_what_a_card_says_of_itself_is_printable(tmp_path: Path) -> None:
    add_card(tmp_path, 0, "Evil", "\x1b[31mred\x07")
    assert sound_cards(tmp_path)[0].name == "\\x1b[31mred\\x07"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("plughw:CARD=Device,DEV=1", ("Device", 1)),
        ("hw:CARD=Device", ("Device", 0)),
        ("plughw:Device,1", ("Device", 1)),
        ("hw:3,0", ("Device", 0)),
        ("hw:0", ("Headphones", 0)),
        ("plughw:CARD=Other,DEV=0", None),
        ("hw:7", None),
        ("default", None),
        ("USB Audio Device: Audio (hw:3,0)", None),
        ("plughw:CARD=" + "x" * 100, None),
    ],
)
def test_alsa_names(root: Path, name: str, found: tuple[str, int] | None) -> None:
    card = find_card(name, sound_cards(root))
    assert (card and (card[0].id, card[1])) == found


def test_the_end_of_a_portaudio_name_is_an_alsa_name(root: Path) -> None:
    card = find_card("USB Audio Device: Audio (hw:3,1)", sound_cards(root), exact=False)
    assert card is not None
    assert card[0].key(card[1]) == "plughw:CARD=Device,DEV=1"
    assert is_alsa_name("plughw:CARD=Nowhere,DEV=0")
    assert not is_alsa_name("USB Audio Device: Audio (hw:3,1)")


def test_the_holder_is_the_process_of_the_thread_that_opened(root: Path) -> None:
    usb = sound_cards(root)[1]
    assert card_holders(usb, 0, "output", root) == ()
    hold(root, "card3/pcm0p", 812, "pipewire", thread=815)
    assert card_holders(usb, 0, "output", root) == (CardHolder(812, "pipewire"),)
    assert str(card_holders(usb, 0, "output", root)[0]) == "pipewire (process 812)"
    assert card_holders(usb, 0, "input", root) == (), "the other direction is free"


def test_a_program_with_the_device_file_open_holds_it(root: Path) -> None:
    descriptors = root / "proc/99/fd"
    descriptors.mkdir(parents=True)
    (descriptors / "7").symlink_to("/dev/snd/pcmC3D1c")
    (root / "proc/99/comm").write_text("arecord\n")
    usb = sound_cards(root)[1]
    assert card_holders(usb, 1, "input", root) == (CardHolder(99, "arecord"),)


def test_a_holder_that_ended_meanwhile_has_no_name(root: Path) -> None:
    hold(root, "card3/pcm0c", 5, "x")
    for file in (root / "proc/5").iterdir():
        file.unlink()
    assert card_holders(sound_cards(root)[1], 0, "input", root) == (
        CardHolder(5, "an unknown program"),
    )
