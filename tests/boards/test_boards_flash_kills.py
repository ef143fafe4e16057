"""The installer of a board, reached over a real SSH server, killed with SIGKILL at any moment.

The virtual environment is this test's own Python, so that a kill costs a second; with real wheels
and fifty kills, `test_boards_flash_sshd.py` does the same.
"""

from __future__ import annotations

import os
import random
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards_activation import Activation
from boards_served import INSTALLER, check_whole, kill_installer, wait_for_process
from boards_sshd import LoopbackServer
from runtime_installs_disk import mini_version

import edge_vc_runtime

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="logs in as root on loopback")
KILLS = 5


@pytest.fixture
def board(tmp_path: Path) -> Iterator[LoopbackServer]:
    made = LoopbackServer(tmp_path)
    yield made
    made.close()


def _own_environment(root: Path) -> None:
    """Make this Python the board's virtual environment."""
    program = root / "venvs/own/bin/edge-vc-rt"
    program.parent.mkdir(parents=True)
    packages = Path(edge_vc_runtime.__file__).parent.parent
    python = f"PYTHONPATH={shlex.quote(str(packages))} exec {shlex.quote(sys.executable)}"
    start = "import sys; from edge_vc_runtime.cli import main; sys.exit(main(sys.argv[2:]))"
    program.write_text(f'#!/bin/sh\n{python} -c "{start}" edge-vc-rt "$@"\n')
    program.chmod(0o755)
    (root / "venvs/own/.complete").touch()


def test_five_kills_never_break_what_is_current(board: LoopbackServer) -> None:
    root = board.place() / "root"
    _own_environment(root)
    bundles = [mini_version(board.folder / f"{v}.evc", v) for v in ("1.0", "1.1")]
    releases: dict[str, Path] = {}
    for bundle in bundles:
        run = Activation(board, root, "own", bundle)
        run.start()
        wait_for_process(board, INSTALLER, run.is_alive)
        began = time.monotonic()
        run.join()
        assert run.code == 0
        span = time.monotonic() - began
        releases[(root / "current").readlink().name] = bundle
    dice, killed = random.Random(5), 0
    while killed < KILLS:
        current = check_whole(board, root, set(releases))
        wanted = next(path for release, path in releases.items() if release != current)
        run = Activation(board, root, "own", wanted)
        run.start()
        kill_installer(board, dice, span, run.is_alive)
        run.join()
        killed += run.code != 0
    check_whole(board, root, set(releases))
    run = Activation(board, root, "own", bundles[1])
    run.run()
    assert run.code == 0
    assert not list(root.rglob(".in-*"))
