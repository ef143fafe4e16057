"""`edge-vc flash --configure-audio`: config.txt and udev, only on request, and undone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from boards_flash import flash, small_wheels
from runtime_installs_disk import mini_version

from edge_vc_boards.flash.audio_setup import AudioSetup, read_audio_setup
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.remote_scripts import script_words
from edge_vc_boards.testing import FakeBoard, FakeBoardFacts

CONFIG = "# For more options see\ndtparam=audio=on\n[cm4]\notg_mode=1\n[all]\nenable_uart=1"
DAC = "hifiberry-dac,slave=1"
TO = ("--to", "pi@fake")


def fake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: FakeBoardFacts | None = None
) -> FakeBoard:
    board = FakeBoard(tmp_path / "board", facts)
    monkeypatch.setenv("PATH", board.path())
    config(board).write_text(CONFIG)
    board.file("/boot/firmware/overlays/hifiberry-dac.dtbo").touch()
    return board


def config(board: FakeBoard) -> Path:
    return board.file("/boot/firmware/config.txt")


def rules(board: FakeBoard) -> Path:
    return board.file("/etc/udev/rules.d/60-edge-vc-audio.rules")


def write(board: FakeBoard, *overlays: str) -> list[str]:
    """Run the script alone, as root of the board would; return what it says."""
    words = script_words("audio", ["\n".join(overlays), ""])
    for place in ("/boot/", "/etc/"):
        words[2] = words[2].replace(place, f"{board.folder}{place}")
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def test_an_overlay_is_written_once_changed_and_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = fake(tmp_path, monkeypatch)
    done = flash(*TO, "--configure-audio", DAC)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == (
        "pi@fake: sound cards: changed\npi@fake: takes effect at its next start: sudo reboot\n"
    )
    text = config(board).read_text()
    assert text.startswith(CONFIG + "\n")
    assert text.splitlines()[-4:-1] == ["[all]", "dtparam=i2s=on", f"dtoverlay={DAC}"]
    backup = config(board).with_name("config.txt.before-edge-vc")
    assert backup.read_text() == CONFIG

    written = config(board).stat().st_mtime_ns
    done = flash(*TO, "--configure-audio", DAC)
    assert done.stdout == "pi@fake: sound cards: unchanged\n"
    assert config(board).stat().st_mtime_ns == written

    assert write(board, "hifiberry-dac") == ["changed", "restart"]
    assert config(board).read_text().count("dtoverlay=") == 1
    assert backup.read_text() == CONFIG
    assert write(board) == ["changed", "restart"]
    assert config(board).read_text() == CONFIG
    assert {path.name for path in config(board).parent.iterdir()} == {"config.txt", "overlays"}


def test_what_the_user_changed_since_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = fake(tmp_path, monkeypatch)
    write(board, "hifiberry-dac")
    changed = config(board).read_text().replace("enable_uart=1", "enable_uart=0") + "gpu_mem=16\n"
    config(board).write_text(changed)
    write(board)
    assert (
        config(board).read_text()
        == CONFIG.replace("=1", "=0").replace("otg_mode=0", "otg_mode=1") + "\ngpu_mem=16\n"
    )
    config(board).write_text(changed.partition("# edge-vc audio: end")[0])
    write(board)
    assert "dtoverlay=hifiberry-dac" in config(board).read_text()


def test_a_usb_card_gets_a_name_and_uninstall_undoes_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = fake(tmp_path, monkeypatch)
    bundle = mini_version(tmp_path / "mini.evc", "1.0")
    wheels = small_wheels(tmp_path / "wheels")
    audio = ("--configure-audio", "usb:0d8c:0014=Mic", "--configure-audio", "hifiberry-dac")
    done = flash(str(bundle), *TO, "--wheels", str(wheels), "--allow-unsigned", *audio)
    assert done.exit_code == 0, done.stderr
    assert "sound cards: changed" in done.stderr
    (line,) = rules(board).read_text().splitlines()[1:]
    assert 'ATTRS{idVendor}=="0d8c", ATTRS{idProduct}=="0014", ATTR{id}="Mic"' in line
    assert "control --reload" in (board.folder / "udevadm.log").read_text()
    done = flash(*TO, "--uninstall")
    assert done.exit_code == 0, done.stderr
    assert "sound cards: changed" in done.stdout
    assert not rules(board).exists()
    assert config(board).read_text() == CONFIG

    write(board, "hifiberry-dac")
    assert flash(*TO, "--uninstall").exit_code == 0  # nothing else is installed
    assert config(board).read_text() == CONFIG
    assert flash(*TO, "--uninstall").exit_code == 2


def test_nothing_is_configured_unasked_and_a_dry_run_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = fake(tmp_path, monkeypatch)
    bundle = mini_version(tmp_path / "mini.evc", "1.0")
    words = (str(bundle), *TO, "--wheels", str(small_wheels(tmp_path / "wheels")), "--dry-run")
    shown = flash(*words, "--allow-unsigned").stdout
    assert "edge-vc-activate" in shown
    assert " edge-vc-audio " not in shown
    done = flash(*TO, "--configure-audio", DAC, "--dry-run")
    assert done.exit_code == 0
    assert DAC in done.stdout
    assert " edge-vc-audio " in done.stdout
    assert config(board).read_text() == CONFIG


def test_boards_that_cannot_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = fake(tmp_path, monkeypatch)
    done = flash(*TO, "--configure-audio", "iqaudio-codec")
    assert done.exit_code == 2
    assert "has no overlay iqaudio-codec: ls /boot/firmware/overlays" in done.stderr
    config(board).unlink()
    done = flash(*TO, "--configure-audio", "hifiberry-dac")
    assert done.exit_code == 2
    assert "has no /boot/firmware/config.txt: overlays are for a Raspberry Pi" in done.stderr
    (tmp_path / "other").mkdir()
    fake(tmp_path / "other", monkeypatch, FakeBoardFacts(sudo=False))
    done = flash(*TO, "--configure-audio", "hifiberry-dac")
    assert done.exit_code == 2
    assert "sudo of pi asks for a password there" in done.stderr


@pytest.mark.parametrize(
    "word", ["", "a b", "../x", "x\nkernel=y", "usb:0d8c:14=Mic", "usb:0d8c:0014=a b", "X", "none"]
)
def test_a_card_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(FlashError, match="--configure-audio"):
        read_audio_setup([word, "hifiberry-dac"])


def test_what_is_asked_for_is_read() -> None:
    assert read_audio_setup(["none"]) == AudioSetup()
    with pytest.raises(FlashError, match="more than 8"):
        read_audio_setup([f"card{number}" for number in range(9)])


def test_a_fleet_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = fake(tmp_path, monkeypatch)
    path = tmp_path / "boards.toml"
    path.write_text('[hosts.a]\nto = "pi@a"\n[hosts.b]\nto = "pi@b"\n')
    done = flash("--inventory", str(path), "--configure-audio", DAC, "--parallel", "1")
    assert done.exit_code == 0, done.stderr
    rows = [line.split()[:2] for line in done.stdout.splitlines()[1:]]
    assert rows == [["a", "changed"], ["b", "unchanged"]]  # one fake is both
    assert config(board).read_text().count("dtoverlay=") == 1
    assert flash("--configure-audio", DAC, *TO, "--list").exit_code == 2


@pytest.mark.parametrize(
    ("words", "twice"),
    [
        (["usb:0d8c:0014=Mic", "usb:0d8c:0014=Mic2"], "0d8c:0014"),
        (["usb:0d8c:0014=Mic", "usb:0d8c:0015=Mic"], "Mic"),
        (["hifiberry-dac", "hifiberry-dac,slave"], "hifiberry-dac"),
    ],
    ids=["card", "name", "overlay"],
)
def test_what_is_given_twice_is_refused(words: list[str], twice: str) -> None:
    with pytest.raises(FlashError, match=f"{twice} is given twice"):
        read_audio_setup(words)
