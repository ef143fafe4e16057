"""`--configure-audio` with `--image` and `--layer`: config.txt at once, udev at the first boot."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from boards_cards import BOOT, card_request, payload, pi_image
from boards_flash import flash, small_wheels
from runtime_bundles import write_mini
from typer.main import get_command

from edge_vc_boards.flash.audio_setup import AudioSetup, read_audio_setup
from edge_vc_boards.flash.cli import app
from edge_vc_boards.flash.image.card import make_card
from edge_vc_boards.flash.image.config_txt import with_overlays
from edge_vc_boards.flash.image.fat import FatPartition
from edge_vc_boards.flash.option_places import PLACES
from edge_vc_boards.flash.remote_scripts import script_text

DAC = "hifiberry-dac,slave=1"
MIC = "usb:0d8c:0014=Mic"


def on_board(folder: Path, setup: AudioSetup) -> str:
    """Run the board's own script for a system in a folder; return what it says."""
    lines = ["\n".join(setup.overlays), "\n".join(setup.rules), str(folder)]
    done = subprocess.run(
        ["sh", "-c", script_text("audio"), "audio", *lines],
        capture_output=True, text=True, check=True, env={"PATH": f"{folder}/bin:/usr/bin:/bin"},
    )  # fmt: skip
    return done.stdout


@pytest.fixture
def system(tmp_path: Path) -> Path:
    folder = tmp_path / "system"
    for name in ("bin", "boot/firmware/overlays", "etc/udev/rules.d"):
        (folder / name).mkdir(parents=True)
    (folder / "bin/udevadm").write_text("#!/bin/sh\n")
    (folder / "bin/udevadm").chmod(0o755)
    (folder / "boot/firmware/overlays/hifiberry-dac.dtbo").touch()
    return folder


def test_a_card_has_its_overlay_as_the_board_would_write_it(tmp_path: Path, system: Path) -> None:
    setup = read_audio_setup([DAC, MIC])
    stock = pi_image(tmp_path / "pi-os.img")
    request = card_request(
        tmp_path, stock, tmp_path / "card.img", payload=lambda found: payload(tmp_path, audio=setup)
    )
    make_card(request)
    boot = FatPartition(tmp_path / "card.img", BOOT)
    before = FatPartition(stock, BOOT).read("config.txt")
    assert boot.read("config.txt.before-edge-vc") == before
    assert boot.read_text("config.txt").splitlines()[-2] == f"dtoverlay={DAC}"

    config = system / "boot/firmware/config.txt"
    config.write_bytes(boot.read("config.txt"))
    config.with_name("config.txt.before-edge-vc").write_bytes(before)
    assert on_board(system, AudioSetup(setup.overlays)) == "unchanged\n"
    assert on_board(system, setup) == "changed\n"  # the rule of udev
    assert on_board(system, AudioSetup()) == "changed\nrestart\n"
    assert config.read_bytes() == before
    assert not list((system / "etc/udev/rules.d").iterdir())

    with tarfile.open(fileobj=io.BytesIO(boot.read("edge-vc-payload.tar"))) as tar:
        assert {"audio.sh", "audio-overlays", "audio-rules"} <= set(tar.getnames())


@pytest.mark.parametrize("before", [b"", b"a=1", b"a=1\n", b"a=1\r\n[pi4]\n", b"\xff\n\n"])
def test_the_same_bytes_here_and_there(system: Path, before: bytes) -> None:
    config = system / "boot/firmware/config.txt"
    config.write_bytes(before)
    here = with_overlays(before, ["hifiberry-dac"])
    on_board(system, AudioSetup(("hifiberry-dac",)))
    assert config.read_bytes() == here
    assert with_overlays(here, ["x", "y"]).count(b"dtoverlay=") == 2


def test_a_layer_carries_it_and_a_card_without_has_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_mini(tmp_path / "mini.evc")
    small_wheels(tmp_path / "wheels", "3.11")
    words = ("mini.evc", "--wheels", "wheels", "--allow-unsigned", "--system", "bookworm")
    for name, more in (("with", ("--configure-audio", DAC)), ("without", ())):
        done = flash(*words, "--layer", name, *more)
        assert done.exit_code == 0, done.stderr
        with tarfile.open(tmp_path / name / "edge-vc/edge-vc-payload.tar") as tar:
            assert ("audio.sh" in tar.getnames()) == (name == "with")


def test_every_option_has_its_places() -> None:
    names = {each.name for each in get_command(app).params} - {"help"}
    assert names == set().union(*PLACES.values())
