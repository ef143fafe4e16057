"""`edge-vc flash` against a real SSH server, with real wheels, Python and runtime, on x86-64."""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from boards_flash import SigningPair, events, flash, new_pair
from boards_sshd import LoopbackServer
from runtime_bundles import listed, write_bundle
from runtime_installs import NO_INDEX
from typer.testing import CliRunner

from edge_vc.assets import bundle_path
from edge_vc.cli import app
from edge_vc_boards.board import BoardError
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.collect import collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.profiling.report import Report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="logs in as root on loopback"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the profile is x86-64"),
]


def system_python() -> str:
    """Return the version of the Python that the server's sessions find."""
    word = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run(["/usr/bin/python3", "-c", word], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no /usr/bin/python3 with venv: apt install python3-venv")
    return done.stdout.strip()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    try:
        collect_wheels(wheel_set(load_board("x86-64"), None, system_python()), folder)
    except BoardError as error:
        if NO_INDEX.search(str(error)):
            pytest.skip(f"no wheels here: {error}")
        raise
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> SigningPair:
    return new_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackServer]:
    made = LoopbackServer(tmp_path_factory.mktemp("server"))
    yield made
    made.close()


@pytest.fixture
def bundle(tmp_path: Path, pair: SigningPair) -> Path:
    shutil.copy(bundle_path("kathleen-nano"), tmp_path / "nano.evc")
    return pair.sign(tmp_path / "nano.evc")


class _Job:
    """A flash in a thread, so that the test can cut the connection."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        command = [sys.executable, "-m", "edge_vc", "flash", *self.words]
        self.done = subprocess.run(command, capture_output=True, text=True, check=False)

    def join(self) -> subprocess.CompletedProcess[str]:
        self._thread.join(120)
        return self.done


def to(server: LoopbackServer, root: Path, wheels: Path, pair: SigningPair) -> list[str]:
    rest = ["--root", str(root), "--wheels", str(wheels), "--trust", str(pair.public)]
    return [*server.words(), *rest]


def shipped_as(path: Path, version: str, pair: SigningPair, gain: float = 1.0) -> Path:
    """Write the shipped bundle as another version; another gain is one that it does not have."""
    shipped = read_bundle(bundle_path("kathleen-nano"))
    files = {name: shipped.read(name) for name in shipped.manifest.files}
    golden = shipped.manifest.golden
    assert golden is not None
    scaled = {
        name: array * np.float32(gain) if name.startswith("output") else array
        for name, array in shipped.golden().items()
    }
    content = io.BytesIO()
    np.savez(content, **scaled)
    files[golden.file] = content.getvalue()
    manifest = listed(replace(shipped.manifest, version=version), files)
    return pair.sign(write_bundle(path, manifest, files))


def test_flash_run_again_and_back(
    server: LoopbackServer, wheels: Path, pair: SigningPair, bundle: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    words = to(server, root, wheels, pair)

    server.tool(
        "cat", f'[ -e {tmp_path}/slow ] && {{ : >{tmp_path}/now; sleep 60; }}\nexec /bin/cat "$@"'
    )
    (tmp_path / "slow").touch()
    job = _Job(str(bundle), *words)
    for _ in range(600):
        if (tmp_path / "now").exists():
            break
        time.sleep(0.1)
    server.cut()
    done = job.join()
    assert done.returncode == 2, done.stderr
    assert "the same command goes on where it stopped" in done.stderr
    assert not (root / "current").exists()
    (tmp_path / "slow").unlink()

    flashed = flash(str(bundle), *words)
    assert flashed.exit_code == 0, flashed.stderr
    assert (root / "current/bundle.evc").read_bytes() == bundle.read_bytes()
    release = (root / "current").readlink().name
    signers = server.folder / "home/.config/edge-vc/allowed_signers"
    assert "ci@example.com" in signers.read_text()
    _converts(root, tmp_path)

    reached = [word for word in server.words() if word != "--to"]
    measured = ["--remote", *reached, "--root", str(root), "--seconds", "1", "--mode", "tight"]
    report = tmp_path / "remote.json"
    options = ["--no-cold-start", "--no-ops", "--json", str(report)]
    done = CliRunner().invoke(app, ["profile", *measured, *options], prog_name="edge-vc")
    assert done.exit_code == 0, done.stderr
    assert Report.from_json(report.read_bytes()).setup.engine == "litert"

    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    again = flash(str(bundle), *words)
    assert "nothing to do" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before

    failed = flash(str(shipped_as(tmp_path / "bad.evc", "9.0", pair, gain=0.5)), *words)
    assert failed.exit_code == 1, failed.stderr
    assert "golden recording" in failed.stderr
    assert (root / "current").readlink().name == release
    later = flash(str(shipped_as(tmp_path / "later.evc", "9.1", pair)), *words)
    assert later.exit_code == 0, later.stderr
    assert f"before {release}" in later.stdout
    back = flash(*server.words(), "--root", str(root), "--rollback")
    assert back.stdout == f"root@127.0.0.1: {release} is current\n"
    shown = flash(*server.words(), "--root", str(root), "--list")
    assert f"* {release}" in shown.stdout
    assert events(root)[0][:2] == ("install", release)

    removed = flash(*server.words(), "--root", str(root), "--uninstall")
    assert removed.exit_code == 0, removed.stderr
    assert not root.exists()


def _converts(root: Path, folder: Path) -> None:
    """Run the installed runtime on the golden recording, without anything of this project."""
    python = root / "venv/bin/python"
    shown = subprocess.run(
        [python, "-I", "-c", "import edge_vc_runtime as e; print(e.__file__)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.startswith(str(root / "venv"))
    bundle = root / "current/bundle.evc"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(
        [root / "venv/bin/edge-vc-rt", "profile", bundle, "--seconds", "1", "--no-cold-start",
         "--no-ops", "--json", folder / "report.json"],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "report.json").read_text())


def test_a_changed_host_key_and_an_unknown_one_are_refused(
    server: LoopbackServer, wheels: Path, pair: SigningPair, bundle: Path, tmp_path: Path
) -> None:
    words = to(server, tmp_path / "root", wheels, pair)
    server.know("other")
    try:
        done = flash(str(bundle), *words)
        assert done.exit_code == 2
        assert "its host key has changed" in done.stderr
        (server.folder / "known").write_text("")
        done = flash(str(bundle), *words, "--ssh-option", "BatchMode=yes")
        assert "its host key is not known here" in done.stderr
    finally:
        server.know("host")
    assert not (tmp_path / "root").exists()


def test_no_login_and_no_server_are_one_line(
    server: LoopbackServer, wheels: Path, pair: SigningPair, bundle: Path, tmp_path: Path
) -> None:
    words = to(server, tmp_path / "root", wheels, pair)
    words[words.index("--identity") + 1] = str(server.folder / "other")
    done = flash(str(bundle), *words)
    assert done.exit_code == 2
    assert "no login: " in done.stderr
    words[words.index("--port") + 1] = "1"
    assert "nothing answers for SSH there" in flash(str(bundle), *words).stderr


def test_another_processor_is_refused(
    server: LoopbackServer, wheels: Path, pair: SigningPair, bundle: Path, tmp_path: Path
) -> None:
    tool = server.tool("uname", "echo riscv64")
    done = flash(str(bundle), *to(server, tmp_path / "root", wheels, pair))
    tool.unlink()
    assert done.exit_code == 2
    assert "'riscv64'" in done.stderr
    assert not (tmp_path / "root").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_nothing_broken(
    server: LoopbackServer,
    wheels: Path,
    pair: SigningPair,
    bundle: Path,
    tmp_path: Path,
    small_disk: Path,
) -> None:
    root = small_disk / "root"
    words = to(server, root, wheels, pair)
    done = flash(str(bundle), *words)
    assert done.exit_code == 2
    assert "MB are free on its disk" in done.stderr
    assert not root.exists()
    tool = server.tool("df", "printf 'x\\nx 9 9 99999999\\n'")
    done = flash(str(bundle), *words)
    tool.unlink()
    assert done.exit_code == 2
    assert "No space left on device" in done.stderr
    assert not (root / "current").exists()
    assert not list(root.rglob(".part-*"))
