"""The scripts of a card's first boot, run in a folder that stands for the card's system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from boards_cards import HASH, KEY, payload, settings

from edge_vc_boards.flash.audio_setup import AudioSetup
from edge_vc_boards.flash.image.payload import write_payload
from edge_vc_boards.flash.image.systemd_files import systemd_files

FAKES = {
    "systemctl": 'echo "systemctl $*" >>"$CALLS"',
    "udevadm": 'echo "udevadm $*" >>"$CALLS"',
    "rfkill": 'echo "rfkill $*" >>"$CALLS"',
    "locale-gen": 'echo locale-gen >>"$CALLS"',
    "chown": 'echo "chown $*" >>"$CALLS"',
    "useradd": 'echo "useradd $*" >>"$CALLS"',
    "getent": """
        [ "$2" != edge-vc ] || exit 2
        name=$2
        [ "$2" != 1000 ] || name=pi
        echo "$name:x:1000:1000::/home/$name:"
    """,
    # A virtual environment: its python stands for pip, its edge-vc-rt for the installer.
    "python3": """
        mkdir -p "$3/bin"
        if [ -e "$EDGE_VC_SYSTEM_ROOT/no-ensurepip" ]; then
          printf '#!/bin/sh\\necho "$* has no space" >&2\\nexit 1\\n' >"$3/bin/python3"
          chmod +x "$3/bin/python3"
          echo "Error: Command '[...]' returned non-zero exit status 1."
          exit 1
        fi
        cat >"$3/bin/python" <<'END'
        #!/bin/sh
        echo "pip $*" >>"$CALLS"
        [ ! -e "$EDGE_VC_SYSTEM_ROOT/no-pip" ]
        END
        cat >"$3/bin/edge-vc-rt" <<'END'
        #!/bin/sh
        echo "edge-vc-rt $*" >>"$CALLS"
        [ ! -e "$EDGE_VC_SYSTEM_ROOT/bad" ]
        END
        chmod +x "$3/bin/python" "$3/bin/edge-vc-rt"
    """,
}


class Board:
    """A boot partition and a system in two folders."""

    def __init__(self, folder: Path) -> None:
        self.boot, self.system = folder / "boot firmware", folder / "system"
        self.calls = folder / "calls"
        tools = folder / "tools"
        for each in (self.boot, self.system / "etc", tools):
            each.mkdir(parents=True)
        for name, text in FAKES.items():
            (tools / name).write_text(f"#!/bin/sh\n{textwrap.dedent(text)}\n")
            (tools / name).chmod(0o755)
        self.environment = dict(
            os.environ,
            PATH=f"{tools}:{os.environ['PATH']}",
            EDGE_VC_SYSTEM_ROOT=str(self.system),
            CALLS=str(self.calls),
        )

    def put(self, files: dict[str, Path | bytes]) -> None:
        for name, data in files.items():
            (self.boot / name).write_bytes(data if isinstance(data, bytes) else data.read_bytes())

    def run(self, script: str, *words: str) -> int:
        command = ["sh", str(self.boot / script), *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        return done.returncode

    def called(self) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return lines

    @property
    def log(self) -> str:
        return (self.boot / "edge-vc-first-boot.log").read_text()

    @property
    def status(self) -> str:
        return (self.boot / "edge-vc-first-boot.status").read_text()


@pytest.fixture
def board(tmp_path: Path) -> Board:
    board = Board(tmp_path / "board")
    (tmp_path / "made").mkdir()
    carried = payload(tmp_path / "made", signer='ci namespaces="x" ssh-ed25519 AAAA')
    board.put(write_payload(carried, tmp_path / "made"))
    assert board.run("edge-vc-first-boot.sh", "enable") == 0
    return board


UNITS = Path("etc/systemd/system")


def test_the_first_boot_installs_everything_once(board: Board) -> None:
    wanted = board.system / UNITS / "multi-user.target.wants/edge-vc-first-boot.service"
    assert wanted.is_symlink()
    assert wanted.exists()
    assert board.run("edge-vc-first-boot.sh", "run") == 0, board.log
    root = board.system / "opt/edge-vc"
    calls = board.called()
    assert any(
        call.startswith("pip -m pip install") and "--require-hashes" in call for call in calls
    )
    assert f"edge-vc-rt install {root}/incoming/bundle.evc --root {root}" in calls
    assert calls[-4].startswith("useradd --system ")
    assert calls[-4].endswith(" edge-vc")
    assert calls[-3:] == [
        "systemctl daemon-reload",
        "systemctl enable edge-vc",
        "systemctl restart edge-vc",
    ]
    assert (root / "venv").resolve().parent == root / "venvs"
    assert (
        "ExecStart=/opt/edge-vc/venv/bin/edge-vc-rt run"
        in (board.system / UNITS / "edge-vc.service").read_text()
    )
    signers = board.system / "etc/edge-vc/allowed_signers"
    assert signers.read_text() == 'ci namespaces="x" ssh-ed25519 AAAA\n'
    hashes = (root / "wheels/hashes").read_text().split()
    assert hashes[1].endswith(".whl")  # as edge-vc flash --to reads it: it sends no wheel again
    assert board.status.startswith("done: ")
    assert not wanted.is_symlink()
    assert not (root / "incoming").exists()
    assert board.run("edge-vc-first-boot.sh", "run") == 0
    assert board.called() == []
    assert "is installed already" in board.log


def test_the_installer_itself_takes_what_the_script_hands_it(board: Board) -> None:
    rt = board.system / "rt"
    rt.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edge_vc_runtime "$@"\n')
    rt.chmod(0o755)
    tools = Path(board.environment["PATH"].split(":")[0])
    (tools / "python3").write_text(
        '#!/bin/sh\nmkdir -p "$3/bin"\nprintf "#!/bin/sh\\n" >"$3/bin/python"\n'
        'chmod +x "$3/bin/python"\ncp "$EDGE_VC_SYSTEM_ROOT/rt" "$3/bin/edge-vc-rt"\n'
    )
    (board.system / "etc/edge-vc").mkdir()
    assert board.run("edge-vc-first-boot.sh", "run") == 0, board.log
    root = board.system / "opt/edge-vc"
    assert (root / "current/bundle.evc").is_file()
    assert not (root / "incoming").exists()


def test_sound_cards_are_set_up_and_a_new_overlay_starts_the_board_anew(
    board: Board, tmp_path: Path
) -> None:
    config = board.system / "boot/firmware/config.txt"
    (config.parent / "overlays").mkdir(parents=True)
    config.write_text("a=1\n")
    setup = AudioSetup(("hifiberry-dac",), ("# a rule",))
    board.put(write_payload(payload(tmp_path / "made", audio=setup), tmp_path / "made"))
    assert board.run("edge-vc-first-boot.sh", "run") != 0
    assert board.status.startswith("failed at: setting up the sound cards")
    assert "has no overlay hifiberry-dac" in board.log
    (config.parent / "overlays/hifiberry-dac.dtbo").touch()
    assert board.run("edge-vc-first-boot.sh", "run") == 0, board.log
    calls = board.called()
    assert calls.count("systemctl --no-block reboot") == 1
    assert "dtoverlay=hifiberry-dac" in config.read_text()
    rules = board.system / "etc/udev/rules.d/60-edge-vc-audio.rules"
    assert "# a rule" in rules.read_text()
    (board.system / "opt/edge-vc/.first-boot").unlink()
    assert board.run("edge-vc-first-boot.sh", "run") == 0, board.log
    assert not any("reboot" in call for call in board.called())


@pytest.mark.parametrize("obstacle", ["no-ensurepip", "no-pip", "bad"])
def test_a_failure_can_be_read_on_the_card_and_the_next_boot_tries_again(
    board: Board, obstacle: str
) -> None:
    (board.system / obstacle).touch()
    assert board.run("edge-vc-first-boot.sh", "run") == 1
    step = "installing the bundle" if obstacle == "bad" else "making the virtual environment"
    assert board.status == f"failed at: {step}; see edge-vc-first-boot.log\n"
    assert f"FAILED (exit 1) at: {step}" in board.log
    assert ("-m ensurepip --default-pip has no space" in board.log) == (obstacle == "no-ensurepip")
    assert not any("restart" in call for call in board.called())
    (board.system / obstacle).unlink()
    assert board.run("edge-vc-first-boot.sh", "run") == 0
    assert board.status.startswith("done: ")


def test_a_damaged_payload_installs_nothing(board: Board) -> None:
    with (board.boot / "edge-vc-payload.tar").open("r+b") as file:
        file.seek(3000)
        file.write(b"\xff\xfe")
    assert board.run("edge-vc-first-boot.sh", "run") == 1
    assert board.status.startswith("failed at: reading the payload")
    assert board.called() == []
    assert not (board.system / "opt").exists()


def test_firstrun_customises_and_leaves_no_trace(board: Board) -> None:
    system = board.system
    for name, text in {
        "etc/hostname": "raspberrypi\n",
        "etc/hosts": "127.0.0.1\tlocalhost\n127.0.1.1\traspberrypi\n",
        "etc/locale.gen": "# de_DE.UTF-8 UTF-8\n# en_GB.UTF-8 UTF-8\n",
        "etc/default/keyboard": 'XKBLAYOUT="gb"\n',
        "etc/sudoers.d/README": "",
        "usr/share/zoneinfo/Europe/Berlin": "",
        "usr/lib/userconf-pi/userconf": '#!/bin/sh\necho "userconf $*" >>"$CALLS"\n',
        "var/lib/systemd/rfkill/platform:wlan": "1\n",
    }.items():
        (system / name).parent.mkdir(parents=True, exist_ok=True)
        (system / name).write_text(text)
    (system / "usr/lib/userconf-pi/userconf").chmod(0o755)
    line = "console=tty1 root=PARTUUID=1234-02 rootwait"
    board.put(dict(systemd_files(settings(), line)))
    syntax = subprocess.run(["sh", "-n", board.boot / "firstrun.sh"], check=False)
    assert syntax.returncode == 0
    assert board.run("firstrun.sh") == 0
    calls = board.called()
    assert f"userconf ann {HASH}" in calls
    assert "systemctl enable ssh" in calls
    assert (system / "etc/hostname").read_text() == "voice-1\n"
    assert "127.0.1.1\tvoice-1" in (system / "etc/hosts").read_text()
    assert (system / "home/ann/.ssh/authorized_keys").read_text() == f"{KEY}\n"
    network = system / "etc/NetworkManager/system-connections/edge-vc.nmconnection"
    assert network.stat().st_mode & 0o077 == 0
    numbers = next(row for row in network.read_text().splitlines() if row.startswith("ssid="))
    name = bytes(int(part) for part in numbers.removeprefix("ssid=").split(";") if part)
    assert name.decode() == settings().wifi.ssid  # type: ignore[union-attr]
    assert (system / "var/lib/systemd/rfkill/platform:wlan").read_text() == "0\n"
    assert (system / "etc/locale.gen").read_text().startswith("de_DE.UTF-8 UTF-8\n")
    assert (system / "etc/timezone").read_text() == "Europe/Berlin\n"
    assert "FAILED" not in board.log
    assert not (board.boot / "firstrun.sh").exists()
    words = (board.boot / "cmdline.txt").read_text().split()
    assert words == [*line.split(), "cfg80211.ieee80211_regdom=GB"]


def test_keys_are_listed_once_beside_those_that_are_there(board: Board) -> None:
    folder = board.system / "home/pi/.ssh"
    folder.mkdir(parents=True)
    other = "ssh-ed25519 AAAAthere already"
    (folder / "authorized_keys").write_text(f"{other}\n")
    board.put({"edge-vc-ssh-keys": f"{KEY}\n".encode()})
    for _ in range(2):
        assert board.run("edge-vc-first-boot.sh", "keys") == 0
    assert (folder / "authorized_keys").read_text() == f"{other}\n{KEY}\n"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "authorized_keys").stat().st_mode & 0o777 == 0o600
    assert f"chown -R pi: {folder}" in board.called()


def test_a_step_that_fails_stops_no_other(board: Board) -> None:
    board.put(dict(systemd_files(settings(), "root=x")))  # no userconf, no hosts, no locale.gen
    assert board.run("firstrun.sh") == 0
    assert "set_user FAILED" in board.log
    wanted = board.system / UNITS / "multi-user.target.wants/edge-vc-first-boot.service"
    assert wanted.is_symlink()
    assert "systemctl enable ssh" in board.called()


@pytest.mark.skipif(shutil.which("dash") is None, reason="dash is the shell of Raspberry Pi OS")
def test_the_scripts_are_for_the_shell_of_the_board(board: Board) -> None:
    subprocess.run(["dash", "-n", board.boot / "edge-vc-first-boot.sh"], check=True)
