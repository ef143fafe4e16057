"""`edge-vc flash --image` and `--layer` as a user calls them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import sleep

import pytest
from boards_cards import BOOT, KEY, pi_image
from boards_flash import flash, new_pair, small_wheels
from runtime_bundles import write_mini

from edge_vc_boards.flash.image.fat import FatPartition
from edge_vc_boards.flash.image.wifi import wifi_key


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a bundle, wheels, a key and a stock image, which is the current one."""
    monkeypatch.chdir(tmp_path)
    write_mini(tmp_path / "mini.evc")
    small_wheels(tmp_path / "wheels", "3.13")
    pi_image(tmp_path / "pi-os.img", "rpi-preseed", python="3.13")
    (tmp_path / "me.pub").write_text(f"{KEY}\n")
    (tmp_path / "wifi").write_text("a passphrase\n")
    return tmp_path


CARD = ["mini.evc", "--image", "pi-os.img", "--out", "card.img", "--user", "ann"]
USUAL = [*CARD, "--ssh-key", "me.pub", "--wheels", "wheels"]


def test_a_signed_bundle_onto_a_card(there: Path) -> None:
    pair = new_pair(there)
    pair.sign(there / "mini.evc")
    words = ["--trust", str(pair.public), "--wifi", "Home", "--wifi-country", "GB"]
    done = flash(*USUAL, *words, "--wifi-file", "wifi", "--", "--input", "USB Audio")
    assert done.exit_code == 0, done.stderr
    assert "card.img: 11.5 MB, read back, customised with rpi-preseed" in done.stdout
    assert "Trixie" in done.stderr
    boot = FatPartition(there / "card.img", BOOT)
    assert wifi_key("Home", "a passphrase") in boot.read_text("rpi-preseed.toml")
    payload = boot.read("edge-vc-payload.tar")
    assert b'--input "USB Audio"' in payload
    assert pair.public.read_bytes().split()[1] in payload
    manifest = json.loads((there / "card.rpi-imager-manifest").read_text())
    assert manifest["os_list"][0]["name"].startswith("Edge VC: mini-")


@pytest.mark.parametrize(
    "stem",
    [
        b"Gr\xf6\xdfe", b"one\ntwo", b"\x1b[31mred 'x'", "u\u0308 \U0001f3a4".encode(), b"--rf",
        b"n" * 220, b"a?b@@c=d",
    ],
)  # fmt: skip
def test_files_of_any_name_onto_a_card(there: Path, stem: bytes) -> None:
    name = os.fsdecode(stem)
    folder = there / name
    folder.mkdir()
    found = {
        suffix: (there / old).rename(folder / f"{name}{suffix}")
        for suffix, old in ((".evc", "mini.evc"), (".img", "pi-os.img"), (".pub", "me.pub"),
                            (".wheels", "wheels"))
    }  # fmt: skip
    words = ["--ssh-key", str(found[".pub"]), "--wheels", str(found[".wheels"]), "--user", "ann"]
    card = folder / f"{name}2.img"
    done = flash(str(found[".evc"]), "--image", str(found[".img"]), "--out", str(card), *words,
                 "--allow-unsigned")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert all(line.isprintable() for line in (done.stderr + done.stdout).splitlines())
    payload = FatPartition(card, BOOT).read("edge-vc-payload.tar")
    assert found[".evc"].read_bytes() in payload


def test_the_password_is_asked_for_and_hashed(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        return "a long password"

    monkeypatch.setattr("edge_vc_boards.flash.image.commands.typer.prompt", prompt)
    done = flash(*CARD, "--wheels", "wheels", "--allow-unsigned")
    assert done.exit_code == 0, done.stderr
    assert asked == ["Password of ann"]
    assert "$6$" in FatPartition(there / "card.img", BOOT).read_text("rpi-preseed.toml")
    monkeypatch.setenv("EDGE_VC_CARD_PASSWORD", "another password")
    assert flash(*CARD, "--wheels", "wheels", "--allow-unsigned").exit_code == 0
    assert len(asked) == 1


def on_a_terminal(words: list[str], keys: bytes, question: bytes) -> tuple[int, bytes]:
    """Run the command with a terminal of its own and press keys at its question."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "edge_vc", *words])
    said = b""
    with suppress(OSError):  # it ended
        while more := os.read(terminal, 4096):
            said += more
            if question in said and keys:
                sleep(0.3)  # the terminal stops to show what is typed
                os.write(terminal, keys)
                keys = b""
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


@pytest.mark.parametrize(
    ("keys", "code", "fact"),
    [(b"\x03", 130, b""), (b"\x04", 2, b"there is nobody to answer on stdin; give its option")],
    ids=["Ctrl-C", "Ctrl-D"],
)
@pytest.mark.parametrize(
    ("words", "question"),
    [
        ((), b"Password of ann"),
        pytest.param(
            ("--ssh-key", "me.pub", "--wifi", "Home", "--wifi-country", "GB"),
            b"Passphrase of Home",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["password", "passphrase"],
)
def test_a_question_that_is_not_answered_ends_in_one_line(
    there: Path, words: tuple[str, ...], question: bytes, keys: bytes, code: int, fact: bytes
) -> None:
    given = ["flash", *CARD, "--wheels", "wheels", "--allow-unsigned", *words]
    ended, said = on_a_terminal(given, keys, question)
    assert ended == code, said
    assert fact in said
    assert b"Traceback" not in said
    assert b"Abort" not in said
    lines = said.replace(question, b"").split(b"\r\n")
    assert len([line for line in lines if b"error" in line]) == (code == 2)
    assert not (there / "card.img").exists()


def test_a_secret_is_not_asked_for_where_it_would_be_seen(there: Path) -> None:
    words = ["-m", "edge_vc", "flash", *CARD, "--wheels", "wheels", "--allow-unsigned"]
    done = subprocess.run(
        [sys.executable, *words], input="a password\n", capture_output=True, text=True,
        start_new_session=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Password of ann: cannot be asked for without a terminal; give" in done.stderr
    assert "Warning" not in done.stderr
    assert not (there / "card.img").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (USUAL, "is not signed"),
        (["mini.evc"], "give one of --to USER@HOST, --inventory"),
        (["mini.evc", "--to", "a@b", "--user", "ann"], "--image IMG is needed"),
        (["--image", "pi-os.img", "--list"], "--list is for boards over SSH: --to USER@HOST"),
        ([*USUAL, "--dry-run"], "--dry-run is for boards over SSH"),
        (["--to", "pi@x", "--list", "--wheels", "w"], "--list: --wheels would do nothing"),
        (["--to", "pi@x", "--rollback", "--allow-downgrade"], "--allow-downgrade would do nothing"),
        (["--inventory", "x.toml", "--uninstall", "--no-service"], "--no-service would do nothing"),
        (["mini.evc", "--image", "pi-os.img"], "--out IMG is needed"),
        ([*USUAL, "--init-format", "fat"], "--init-format 'fat': has to be systemd, cloudinit"),
        ([*USUAL, "--timezone", "Mars/Base"], "--timezone Mars/Base: no such zone"),
        ([*CARD[:-1], "Ann!"], "--user 'Ann!': has to be a small letter"),  # before a password
        ([*USUAL, "--port", "22"], "--port is for --to USER@HOST"),
        ([*USUAL, "--no-service"], "a card is installed with its service"),
        ([*USUAL, "--allow-unsigned", "--configure-audio", "none"], "nothing is set up in a new"),
        ([*USUAL, "--allow-unsigned", "--configure-audio", "iqaudio"], "has no overlay iqaudio"),
        ([*USUAL[:3], "--out", "pi-os.img", *USUAL[5:], "--allow-unsigned"], "is an input"),
        ([*USUAL, "--allow-unsigned", "--wifi", "x"], "--wifi-country CC is needed"),
        ([*USUAL, "--allow-unsigned", "--ssh-key", "none"], "--ssh-key none: No such file"),
        ([*USUAL, "--allow-unsigned", "--device", "/dev/null"], "is not a block device"),
        ([*USUAL, "--allow-unsigned", "--board", "orin-nano"], "for a Raspberry Pi"),
        ([*USUAL, "--allow-unsigned", "--root", "edge-vc"], "is installed in /opt/edge-vc"),
        ([*USUAL, "--allow-unsigned", "--init-format", "cloudinit-rpi"], "has not what"),
    ],
)
def test_what_cannot_be_made_is_one_line(there: Path, words: list[str], reason: str) -> None:
    before = (there / "pi-os.img").read_bytes()
    done = flash(*words)
    assert done.exit_code == 2
    assert reason in done.stderr.splitlines()[-1]
    assert not (there / "card.img").exists()
    assert (there / "pi-os.img").read_bytes() == before
    assert not list(there.glob(".*"))


def test_wheels_for_another_python_are_refused(there: Path) -> None:
    small_wheels(there / "old", "3.11")
    done = flash(*CARD, "--ssh-key", "me.pub", "--wheels", "old", "--allow-unsigned")
    assert done.exit_code == 2
    assert "wheels for Python 3.11, the board has 3.13" in done.stderr


def test_a_layer_for_rpi_image_gen(there: Path) -> None:
    words = ["--layer", "mine", "--wheels", "wheels", "--system", "trixie", "--allow-unsigned"]
    done = flash("mini.evc", *words)
    assert done.exit_code == 0, done.stderr
    assert Path("mine/layer/edge-vc.yaml").is_file()
    assert str(Path("mine/edge-vc/edge-vc-payload.tar")) in done.stdout
