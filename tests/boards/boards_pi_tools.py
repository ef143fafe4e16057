"""Raspberry Pi's own first-boot tools, from their published sources, for a stand-in system.

The sources are cloned once into ``sources`` beside the systems (`boards_debian.cache`), never into
this project. Nothing of them is changed: what an image does on its first boot is what they do.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from boards_debian import cache, run

OWNERS = {
    "rpi-preseed": "raspberrypi",
    "userconf-pi": "RPi-Distro",
    "raspberrypi-sys-mods": "RPi-Distro",
    "raspi-config": "RPi-Distro",
}
_COPIED = {
    "userconf-pi": {
        "userconf": "usr/lib/userconf-pi",
        "userconf-service": "usr/lib/userconf-pi",
        "cancel-rename": "usr/bin",
        "rename-user": "usr/bin",
    },
    "raspberrypi-sys-mods": {
        "usr/lib/raspberrypi-sys-mods/imager_custom": "usr/lib/raspberrypi-sys-mods",
        "usr/lib/raspberrypi-sys-mods/get_fw_loc": "usr/lib/raspberrypi-sys-mods",
    },
    "raspi-config": {"raspi-config": "usr/bin"},
}
_PRESEED_UNITS = (
    "rpi-preseed.service", "rpi-preseed-runcmd-early.service", "rpi-preseed-runcmd-late.service",
)  # fmt: skip


def source(name: str) -> Path:
    """Return a checkout of a tool's sources; skips the test where it cannot be cloned."""
    folder = cache() / "sources" / name
    if not folder.is_dir():
        folder.parent.mkdir(exist_ok=True)
        address = f"https://github.com/{OWNERS[name]}/{name}"
        git = shutil.which("git") or "git"
        command = [git, "clone", "--quiet", "--depth", "1", address, str(folder)]
        done = subprocess.run(command, capture_output=True, timeout=300, check=False)
        if done.returncode != 0:
            pytest.skip(f"no card is booted: git clone {address} {folder} does not work here")
    return folder


def install_pi_tools(root: Path) -> None:
    """Install what renames the first user and sets host, keys and language in every image."""
    for name, files in _COPIED.items():
        for file, place in files.items():
            target = root / place
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source(name) / file, target)
            (target / Path(file).name).chmod(0o755)


def install_preseed(root: Path, work: Path) -> None:
    """Install rpi-preseed as its package does; the package conflicts with cloud-init."""
    staged = work / "preseed"
    folder = source("rpi-preseed")
    run("make", "--directory", str(folder), "install", f"DESTDIR={staged}", "PREFIX=/usr")
    # Debian's /lib is a link to /usr/lib.
    for place in ("usr", "lib"):
        target = root / "usr/lib" if place == "lib" else root / "usr"
        shutil.copytree(staged / place, target, symlinks=True, dirs_exist_ok=True)
    wanted = root / "etc/systemd/system/multi-user.target.wants"
    for unit in _PRESEED_UNITS:
        (wanted / unit).symlink_to(f"/usr/lib/systemd/system/{unit}")
    for left in (root / "var/lib/dpkg/info").glob("cloud-init.*"):
        left.unlink()
    (root / "etc/cloud/cloud-init.disabled").touch()
    shutil.rmtree(staged)
