"""What `edge-vc wheels` collects installs without a network where the board's Python runs."""

from __future__ import annotations

import json
import shutil
import sysconfig
from pathlib import Path

import pytest

from edge_vc_boards.emulation.debian import fetch_packages, unpack
from edge_vc_boards.emulation.run import SHARE, run_on
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.collect import PYAUDIO, collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set

pytestmark = pytest.mark.emulated


@pytest.mark.timeout(900)
def test_the_wheels_install_offline_and_pyaudio_imports(arm64_root: Path, tmp_path: Path) -> None:
    board = load_board("pi4")
    listed = collect_wheels(wheel_set(board), tmp_path / "share" / "wheels")
    assert listed.live == PYAUDIO, listed.note
    share = tmp_path / "share"
    # Not by importing pip: setuptools then takes the process for a build and leaves its distutils.
    shutil.copytree(Path(sysconfig.get_path("purelib")) / "pip", share / "pip" / "pip")
    packages = fetch_packages(("libasound2",), "arm64", tmp_path / "packages", suite="bookworm")
    unpack(packages, tmp_path / "alsa")
    library = next((tmp_path / "alsa").glob("usr/lib/*/libasound.so.2"))
    shutil.copy(library, share / "libasound.so.2")
    driver = Path(__file__).with_name("boards_offline_install.py")
    shutil.copy(driver, share / driver.name)

    command = ["python3", f"{SHARE}/{driver.name}", SHARE]
    done = run_on(board, command, root=arm64_root, share=share, timeout_s=600)

    assert done.code == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert all(place.startswith("/tmp/venv/lib/python3.11/") for place in told["places"].values())
    assert told["portaudio"].startswith("PortAudio V19")
    assert "ALSA" in told["apis"]
