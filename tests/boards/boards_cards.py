"""Small images of Raspberry Pi OS in each format, and what is put onto them."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import pytest
from boards_flash import small_wheels
from runtime_bundles import write_mini

from edge_vc_boards.flash.image.card import CardRequest
from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.partition_table import Partition
from edge_vc_boards.flash.image.payload import Payload
from edge_vc_boards.flash.image.wifi import WifiNetwork, wifi_key
from edge_vc_boards.flash.wheel_choice import CarriedWheels
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.wheel_list import check_wheels

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ1dCBub2JvZHkgaGFzIHRoZSBwcml2YXRlIGtleQ me@laptop"
HASH = "$6$c2FsdHlzYWx0$" + "x" * 86
SEED = {"user-data": "#cloud-config\n", "meta-data": "instance_id: rpios-image\n"}
SEED |= {"network-config": "# none\n"}
KINDS: dict[str, tuple[dict[str, str], list[str], str]] = {
    "systemd": ({}, ["userconf-pi", "raspberrypi-sys-mods"], "2025-05-13"),
    "cloudinit-rpi": (SEED, ["cloud-init", "userconf-pi", "raspberrypi-sys-mods"], "2025-12-04"),
    "rpi-preseed": ({}, ["rpi-preseed", "userconf-pi", "raspberrypi-sys-mods"], "2026-07-10"),
}
START, FAT_MB, ROOT_MB = 1 << 20, 8, 2
_MADE: dict[str, bytes] = {}
"""Images that were made, packed, by what they were made of."""


def found(name: str) -> str | None:
    """Return the path of a program, also of one that only root has in its path."""
    return shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")


MISSING = "dosfstools and mtools are not installed: apt install dosfstools mtools"
needs_card_tools = pytest.mark.skipif(not (found("mkfs.vfat") and found("mdir")), reason=MISSING)
"""For tests of card images."""


def tool(*words: str | Path) -> None:
    program = found(str(words[0]))
    if not (program and found("mdir")):
        pytest.skip(MISSING)
    subprocess.run([program, *map(str, words[1:])], check=True, capture_output=True)


def pi_image(
    path: Path,
    kind: str = "systemd",
    *,
    files: dict[str, str] | None = None,
    packages: list[str] | None = None,
    without: tuple[str, ...] = (),
    python: str = "3.11",
    arm64: bool = True,
) -> Path:
    """Write an image with a FAT and an ext4 partition that have a stock image's signs."""
    key = repr((kind, files, packages, without, python, arm64))
    if key not in _MADE:
        _make(path, kind, files, packages, without, python, arm64)
        _MADE[key] = zlib.compress(path.read_bytes(), 1)
    path.write_bytes(zlib.decompress(_MADE[key]))
    return path


def _make(
    path: Path,
    kind: str,
    files: dict[str, str] | None,
    packages: list[str] | None,
    without: tuple[str, ...],
    python: str,
    arm64: bool,
) -> None:
    seed, installed, date = KINDS[kind]
    boot = {
        "cmdline.txt": "console=tty1 root=PARTUUID=1234-02 rootfstype=ext4 rootwait resize\n",
        "config.txt": "dtparam=audio=on\n",
        "issue.txt": f"Raspberry Pi reference {date}\nGenerated using pi-gen\n",
        "kernel8.img": "kernel",
    }
    boot |= seed | (files or {})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fat, root = folder / "fat.img", folder / "root.img"
        _write_fat(fat, {key: boot[key] for key in boot if key not in without})
        _write_root(root, installed if packages is None else packages, python, arm64)
        entries = [(0x0C, START, FAT_MB << 20), (0x83, START + (FAT_MB << 20), ROOT_MB << 20)]
        with path.open("wb") as image:
            image.write(mbr(entries))
            image.seek(START)
            image.write(fat.read_bytes())
            image.write(root.read_bytes())


def mbr(entries: list[tuple[int, int, int]]) -> bytes:
    """Return a first sector; entries are type, start and size in bytes."""
    rows = [struct.pack("<B3xB3xII", 0, kind, at // 512, n // 512) for kind, at, n in entries]
    return bytes(446) + b"".join(rows).ljust(64, b"\x00") + b"\x55\xaa"


def _write_fat(path: Path, files: dict[str, str]) -> None:
    with path.open("wb") as image:
        image.truncate(FAT_MB << 20)
    tool("mkfs.vfat", "-i", "1234abcd", "-n", "bootfs", path)
    for name, text in files.items():
        source = path.with_name(name)
        source.write_text(text)
        tool("mcopy", "-i", path, source, f"::/{name}")
    tool("mmd", "-i", path, "::/overlays")
    for name in ("audio", "hifiberry-dac"):
        tool("mcopy", "-i", path, path.with_name("config.txt"), f"::/overlays/{name}.dtbo")


def _write_root(path: Path, packages: list[str], python: str, arm64: bool) -> None:
    root = path.with_name("root")
    for package in packages:
        _touch(root / f"var/lib/dpkg/info/{package}.list")
    _touch(root / f"usr/bin/python{python}")
    _touch(root / f"usr/lib/python{python}/ensurepip/__init__.py")
    if arm64:
        _touch(root / "usr/lib/ld-linux-aarch64.so.1")
    tool("mke2fs", "-q", "-t", "ext4", "-d", root, path, f"{ROOT_MB}M")


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def settings(**changes: object) -> CardSettings:
    wifi = WifiNetwork('Café; "it\'s" $HOME', wifi_key("x", "passphrase"), "GB")
    chosen: dict[str, object] = {
        "user": "ann",
        "password_hash": HASH,
        "ssh_keys": (KEY,),
        "hostname": "voice-1",
        "timezone": "Europe/Berlin",
        "locale": "de_DE.UTF-8",
        "keyboard": "de",
        "wifi": wifi,
    }
    return CardSettings(**(chosen | changes))  # type: ignore[arg-type]


def payload(folder: Path, python: str = "3.11", **changes: object) -> Payload:
    """Return a payload of a small bundle and a folder of wheels, made once in ``folder``."""
    wheels = folder / f"wheels-{python}"
    if not wheels.exists():
        small_wheels(wheels, python)
    bundle = folder / "mini.evc"
    if not bundle.exists():
        write_mini(bundle)
    return Payload(bundle, CarriedWheels(wheels, check_wheels(wheels)), **changes)  # type: ignore[arg-type]


def card_request(folder: Path, image: Path, out: Path, **changes: object) -> CardRequest:
    chosen: dict[str, object] = {
        "image": image,
        "out": out,
        "board": load_board("pi4"),
        "settings": settings(),
        "payload": lambda found: payload(folder, found.system.python),
        "title": "Edge VC: mini",
    }
    return CardRequest(**(chosen | changes))  # type: ignore[arg-type]


BOOT = Partition(1, START, FAT_MB << 20, "fat")
