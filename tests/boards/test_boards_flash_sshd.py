"""`edge-vc flash` against a real SSH server, with real wheels, Python and runtime.

Every test takes the fixture `board`, a `ServedBoard`: this machine (x86-64) behind a server on
loopback, or with `make test-cards` a Debian for arm64 that QEMU translates. Another row of `BOARDS`
is another kind of board, with the same tests.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from boards_activation import Activation
from boards_clock import clock_of_1970
from boards_flash import SigningPair, events, flash, new_pair, shipped_as
from boards_hostile import HOSTILE
from boards_served import (
    INSTALLER,
    ServedBoard,
    check_whole,
    kill_installer,
    on_board,
    reach,
    wait_for_process,
)
from boards_sshd import LoopbackServer
from boards_sshd_arm64 import Arm64Server
from runtime_installs import NO_INDEX
from typer.testing import CliRunner

from edge_vc.assets import bundle_path
from edge_vc.cli import app
from edge_vc_boards.board import BoardError
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.ssh import RemoteOutput, SshConnection
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.collect import collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set
from edge_vc_runtime.profiling.report import Report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="logs in as root on loopback"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the profile is x86-64"),
]
BOARDS: dict[str, Callable[[Path], LoopbackServer]] = {
    "x86-64": LoopbackServer,
    "arm64": Arm64Server,
}
LONG = [pytest.mark.cards, pytest.mark.timeout(4 * 3600)]
KILLS = 50


@pytest.fixture(scope="module", params=["x86-64", pytest.param("arm64", marks=LONG)])
def board(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedBoard]:
    made = BOARDS[request.param](tmp_path_factory.mktemp("server"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def wheels(board: ServedBoard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    try:
        collect_wheels(wheel_set(load_board(board.profile), None, board.python), folder)
    except BoardError as error:
        if NO_INDEX.search(str(error)):
            pytest.skip(f"no wheels here: {error}")
        raise
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> SigningPair:
    return new_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def bundle(tmp_path: Path, pair: SigningPair) -> Path:
    shutil.copy(bundle_path("kathleen-nano"), tmp_path / "nano.evc")
    return pair.sign(tmp_path / "nano.evc")


@pytest.fixture
def root(board: ServedBoard) -> Path:
    """The folder of an installation that is not there yet, as the board names it."""
    return board.place() / "root"


class _Job:
    """A flash in a thread, so that the test can cut the connection."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        command = [sys.executable, "-m", "edge_vc", "flash", *self.words]
        self.done = subprocess.run(command, capture_output=True, text=True, check=False)

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> subprocess.CompletedProcess[str]:
        self._thread.join(600)
        return self.done

    @property
    def code(self) -> int:
        """The exit code, once it has ended."""
        return self.done.returncode


def to(board: ServedBoard, root: Path, wheels: Path, pair: SigningPair) -> list[str]:
    rest = ["--root", str(root), "--wheels", str(wheels), "--trust", str(pair.public)]
    return [*reach(board), *rest]


def test_flash_run_again_and_back(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, root: Path, tmp_path: Path
) -> None:
    words, there = to(board, root, wheels, pair), board.here(root)

    _cut_while_sending(board, words, bundle)
    assert not (there / "current").exists()

    flashed = flash(str(bundle), *words)
    assert flashed.exit_code == 0, flashed.stderr
    assert (there / "current/bundle.evc").read_bytes() == bundle.read_bytes()
    release = (there / "current").readlink().name
    _converts(board, root)

    reached = [word for word in reach(board) if word != "--to"]
    measured = ["--remote", *reached, "--root", str(root), "--seconds", "1", "--mode", "tight"]
    report = tmp_path / "remote.json"
    options = ["--no-cold-start", "--no-ops", "--json", str(report)]
    done = CliRunner().invoke(app, ["profile", *measured, *options], prog_name="edge-vc")
    assert done.exit_code == 0, done.stderr
    assert Report.from_json(report.read_bytes()).setup.engine == "litert"

    judged = [str(bundle), "--remote", *reached, "--root", str(root)]
    done = CliRunner().invoke(app, ["validate", *judged], prog_name="edge-vc")
    assert "speech of 2.0 s" in done.stdout, done.stderr
    assert done.exit_code == 0, done.stdout
    assert "OUTSIDE" not in done.stdout

    before = {path: path.stat().st_mtime_ns for path in there.rglob("*")}
    again = flash(str(bundle), *words)
    assert "nothing to do" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in there.rglob("*")} == before

    failed = flash(str(shipped_as(tmp_path / "bad.evc", "9.0", pair, gain=0.5)), *words)
    assert failed.exit_code == 1, failed.stderr
    assert "golden recording" in failed.stderr
    assert (there / "current").readlink().name == release
    later = flash(str(shipped_as(tmp_path / "later.evc", "9.1", pair)), *words)
    assert later.exit_code == 0, later.stderr
    assert f"before {release}" in later.stdout
    back = flash(*reach(board), "--root", str(root), "--rollback")
    assert back.stdout == f"{board.target().name}: {release} is current\n"
    shown = flash(*reach(board), "--root", str(root), "--list")
    assert f"* {release}" in shown.stdout
    assert events(there)[0][:2] == ("install", release)

    removed = flash(*reach(board), "--root", str(root), "--uninstall")
    assert removed.exit_code == 0, removed.stderr
    assert not there.exists()


def _cut_while_sending(board: ServedBoard, words: list[str], bundle: Path) -> None:
    """Cut the connection while a file is on its way."""
    marks = board.place()
    slow, now = marks / "slow", marks / "now"
    tool = board.tool("cat", f'[ -e {slow} ] && {{ : >{now}; sleep 60; }}\nexec /bin/cat "$@"')
    board.here(slow).touch()
    job = _Job(str(bundle), *words)
    for _ in range(int(600 * board.slow)):
        if board.here(now).exists():
            break
        time.sleep(0.1)
    board.cut()
    done = job.join()
    tool.unlink()
    assert done.returncode == 2, done.stderr
    assert "the same command resumes where it stopped" in done.stderr


def _converts(board: ServedBoard, root: Path) -> None:
    """Run the installed runtime on the golden recording, without anything of this project."""
    word = "import edge_vc_runtime as e; print(e.__file__)"
    shown = on_board(board, root / "venv/bin/python", "-I", "-c", word)
    assert shown.stdout.startswith(str(root / "venv")), shown.stderr
    options = ("--seconds", "1", "--no-cold-start", "--no-ops", "--json", "-")
    program, bundle = root / "venv/bin/edge-vc-rt", root / "current/bundle.evc"
    done = on_board(board, program, "profile", bundle, *options)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)


def test_a_changed_host_key_and_an_unknown_one_are_refused(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, root: Path
) -> None:
    words = to(board, root, wheels, pair)
    board.know("other")
    try:
        done = flash(str(bundle), *words)
        assert done.exit_code == 2
        assert "its host key has changed" in done.stderr
        board.know("none")
        done = flash(str(bundle), *words, "--ssh-option", "BatchMode=yes")
        assert "its host key is not known here" in done.stderr
    finally:
        board.know("host")
    assert not board.here(root).exists()


def test_no_login_and_no_server_are_one_line(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, root: Path
) -> None:
    words = to(board, root, wheels, pair)
    words[words.index("--identity") + 1] = str(board.stranger())
    done = flash(str(bundle), *words)
    assert done.exit_code == 2
    assert "no login: " in done.stderr
    words[words.index("--port") + 1] = "1"
    assert "nothing answers for SSH there" in flash(str(bundle), *words).stderr


def test_another_processor_is_refused(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, root: Path
) -> None:
    tool = board.tool("uname", "echo riscv64")
    done = flash(str(bundle), *to(board, root, wheels, pair))
    tool.unlink()
    assert done.exit_code == 2
    assert "'riscv64'" in done.stderr
    assert not board.here(root).exists()


@pytest.fixture
def small_disk(board: ServedBoard) -> Iterator[Path]:
    """A file system of 8 MB, as the board names it."""
    disk = board.place()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(board.here(disk))]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    yield disk
    subprocess.run(["umount", str(board.here(disk))], check=True)


def test_a_full_disk_leaves_nothing_broken(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, small_disk: Path
) -> None:
    root = small_disk / "root"
    words, there = to(board, root, wheels, pair), board.here(root)
    done = flash(str(bundle), *words)
    assert done.exit_code == 2
    assert "MB are free on its disk" in done.stderr
    assert not there.exists()
    tool = board.tool("df", "printf 'x\\nx 9 9 99999999\\n'")
    done = flash(str(bundle), *words)
    tool.unlink()
    assert done.exit_code == 2
    assert "No space left on device" in done.stderr
    assert not (there / "current").exists()
    assert not list(there.rglob(".part-*"))


def test_a_read_only_disk_is_refused_before_anything_is_sent(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(board.here(small_disk))], check=True)
    done = flash(str(bundle), *to(board, small_disk / "root", wheels, pair))
    assert done.exit_code == 2
    assert "is on a disk that cannot be written" in done.stderr
    assert "sending" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_clock_in_1970_does_not_stop_a_flash(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, root: Path, tmp_path: Path
) -> None:
    words = to(board, root, wheels, pair)
    words += ["--ssh-option", f"SetEnv=LD_PRELOAD={clock_of_1970(board, tmp_path)}"]
    flashed = flash(str(bundle), *words)
    assert flashed.exit_code == 0, flashed.stderr
    assert "its clock is before 2026" in flashed.stderr
    state = json.loads((board.here(root) / "state.json").read_text())
    assert state["events"][0]["time"].startswith("1970-")
    shown = on_board(board, root / "venv/bin/edge-vc-rt", "inspect", root / "current/bundle.evc")
    assert shown.code == 0, shown.stderr
    assert "nothing to do" in flash(str(bundle), *words).stdout


def test_hostile_bundles_are_refused_here_and_there(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, root: Path, tmp_path: Path
) -> None:
    words = to(board, root, wheels, pair)
    flashed = flash(str(bundle), *words)
    assert flashed.exit_code == 0, flashed.stderr
    for name, spoil in HOSTILE.items():
        hostile = spoil(bundle, tmp_path / f"{name}.evc")
        done = flash(str(hostile), *words)
        assert (name, done.exit_code, done.stderr.count("\n")) == (name, 2, 1), done.stderr
        said = _past_the_host(board, root, hostile)
        assert (name, said.code, said.stderr.count("\n")) == (name, 2, 1), said
        assert "Traceback" not in done.stderr + said.stderr
        assert (board.here(root) / "current/bundle.evc").read_bytes() == bundle.read_bytes()


def _past_the_host(board: ServedBoard, root: Path, bundle: Path) -> RemoteOutput:
    """Install a bundle there as if the host had let it pass."""
    shutil.copy(bundle, board.here(root) / "arrived.evc")
    id = (board.here(root) / "venv").readlink().name
    with SshConnection(board.target()) as connection:
        words = [str(root), id, str(root / "arrived.evc"), "no", ""]
        return BoardShell(connection).attempt("activate", words)


def _installer(
    board: ServedBoard, root: Path, words: list[str]
) -> Callable[[Path], _Job | Activation]:
    """Return what starts an installation of a bundle: a whole flash, or the last step of one.

    An emulated board takes a minute until a flash comes to its installer: there the bundle is put
    onto its disk instead, and the installer is called as a flash calls it.
    """
    if board.slow == 1:
        return lambda bundle: _Job(str(bundle), *words)
    venv, place = (board.here(root) / "venv").readlink().name, board.place()

    def start(bundle: Path) -> Activation:
        shutil.copy(bundle, board.here(place) / bundle.name)
        job = Activation(board, root, venv, place / bundle.name)
        job.start()
        return job

    return start


@pytest.mark.timeout(2 * 3600)
def test_kills_of_the_installer_never_break_what_is_current(
    board: ServedBoard, wheels: Path, pair: SigningPair, bundle: Path, root: Path, tmp_path: Path
) -> None:
    words = [*to(board, root, wheels, pair), "--allow-downgrade"]
    other = shipped_as(tmp_path / "other.evc", "9.1", pair)
    releases: dict[str, Path] = {}
    for path in (bundle, other):
        flashed = flash(str(path), *words)
        assert flashed.exit_code == 0, flashed.stderr
        releases[(board.here(root) / "current").readlink().name] = path
    start = _installer(board, root, words)
    job = start(bundle)
    wait_for_process(board, INSTALLER, job.is_alive)
    began = time.monotonic()
    job.join()
    assert job.code == 0
    span, dice, killed = time.monotonic() - began, random.Random(14), 0
    while killed < KILLS:
        current = check_whole(board, root, set(releases))
        wanted = next(path for release, path in releases.items() if release != current)
        job = start(wanted)
        kill_installer(board, dice, span, job.is_alive)
        job.join()
        killed += job.code != 0
    check_whole(board, root, set(releases))
    assert flash(str(other), *words).exit_code == 0
    assert not list(board.here(root).rglob(".in-*"))
