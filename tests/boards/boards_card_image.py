"""A bootable stand-in for a stock Raspberry Pi OS image: FAT with the kernel, then ext4."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

from boards_card_initrd import write_initrd
from boards_debian import debian, kernel, run
from boards_pi_tools import install_pi_tools, install_preseed

DISK = 0xEDCE0001
"""Identifier of the disk, of which the partitions' names are made."""
START, FAT_MB = 4 << 20, 320
SPARE_MB = 900
"""Free on the root partition; the firmware's resizing at the first boot is left out."""
SEED = {"user-data": "#cloud-config\n", "meta-data": "instance-id: rpios-image\n"}
SEED |= {"network-config": "network: {version: 2}\n"}
SUITES = {"systemd": "bookworm", "cloudinit-rpi": "trixie", "rpi-preseed": "trixie"}
RELEASED = {"systemd": "2025-05-13", "cloudinit-rpi": "2025-12-04", "rpi-preseed": "2026-07-10"}
SIGNS = {
    "systemd": ("userconf-pi", "raspberrypi-sys-mods"),
    "cloudinit-rpi": ("cloud-init", "userconf-pi", "raspberrypi-sys-mods"),
    "rpi-preseed": ("rpi-preseed", "userconf-pi", "raspberrypi-sys-mods"),
}
_NO_CLOUD = """\
datasource_list: [NoCloud, None]
datasource:
  NoCloud:
    seedfrom: file:///boot/firmware/
"""
_TEST_UNIT = """\
[Unit]
Description=What the test of cards asks of this machine
RequiresMountsFor=/boot/firmware
ConditionPathExists=/boot/firmware/card-test.sh
After=sound.target

[Service]
ExecStart=/bin/sh /boot/firmware/card-test.sh

[Install]
WantedBy=multi-user.target
"""
_FAST = "nokaslr kpti=off mitigations=off"
"""Kernel page table isolation empties QEMU's TLB twice in every system call."""
FILES = Path(__file__).with_name("boards_guest")
"""What runs in the emulated machine."""


def write_stock_image(path: Path, kind: str) -> Path:
    """Write an image of one of the three formats, as nobody has customised it yet."""
    work = path.with_name(f"{path.name}.work")
    work.mkdir()
    root = work / "root"
    # Links, not copies: only new files are written into the tree.
    run("cp", "--archive", "--link", str(debian(SUITES[kind])), str(root))
    _give_signs(root, kind)
    boot = _boot_files(work, kind)
    fat, ext4 = work / "fat", work / "ext4"
    with fat.open("wb") as file:
        file.truncate(FAT_MB << 20)
    run("mkfs.vfat", "-F", "32", "-i", "1234abcd", "-n", "bootfs", str(fat))
    for source in boot:
        run("mcopy", "-i", str(fat), str(source), f"::/{source.name}")
    used = int(run("du", "--summarize", "--block-size=M", str(root)).split("M")[0])
    size = (used * 11 // 10 + SPARE_MB) << 20
    run("mke2fs", "-q", "-t", "ext4", "-L", "rootfs", "-d", str(root), str(ext4), f"{size >> 20}M")
    _join(path, fat, ext4, size)
    shutil.rmtree(work)
    return path


def _give_signs(root: Path, kind: str) -> None:
    info = root / "var/lib/dpkg/info"
    for package in SIGNS[kind]:
        (info / f"{package}.list").touch()
    _enable(root, "card-test.service", _TEST_UNIT)
    install_pi_tools(root)
    if kind == "rpi-preseed":
        install_preseed(root, root.parent)
    if kind == "cloudinit-rpi":
        (root / "etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg").write_text(_NO_CLOUD)
        early = root / "etc/systemd/system/cloud-init-local.service.d"
        early.mkdir()
        (early / "boot.conf").write_text("[Unit]\nRequiresMountsFor=/boot/firmware\n")


def _enable(root: Path, name: str, text: str) -> None:
    units = root / "etc/systemd/system"
    (units / name).write_text(text)
    wanted = units / "multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / name).symlink_to(f"../{name}")


def _boot_files(work: Path, kind: str) -> list[Path]:
    folder = work / "boot"
    folder.mkdir()
    words = f"console=ttyAMA0 root=PARTUUID={DISK:08x}-02 rootfstype=ext4 rootwait"
    texts = {
        "cmdline.txt": f"{words} systemd.show_status=no {_FAST}\n",
        "config.txt": "# read by the firmware, which QEMU has not\n",
        "issue.txt": f"Raspberry Pi reference {RELEASED[kind]}\nStand-in made of Debian\n",
    }
    for name, text in (texts | (SEED if kind == "cloudinit-rpi" else {})).items():
        (folder / name).write_text(text)
    (image,) = (kernel() / "tree/boot").glob("vmlinuz-*")
    shutil.copy(image, folder / "kernel8.img")
    write_initrd(folder / "initramfs8", kernel() / "tree")
    return sorted(folder.iterdir())


def _join(path: Path, fat: Path, ext4: Path, size: int) -> None:
    rows = [(0x0C, START, FAT_MB << 20), (0x83, START + (FAT_MB << 20), size)]
    table = b"".join(
        struct.pack("<B3xB3xII", 0, kind, at // 512, length // 512) for kind, at, length in rows
    )
    with path.open("wb") as image:
        image.write(bytes(440) + struct.pack("<IH", DISK, 0) + table.ljust(64, b"\0") + b"\x55\xaa")
        image.truncate(START + (FAT_MB << 20) + size)
    for part, (_, at, _) in zip((fat, ext4), rows, strict=True):
        command = ["dd", f"if={part}", f"of={path}", "bs=1M", f"seek={at >> 20}"]
        command += ["conv=notrunc,sparse", "status=none"]
        subprocess.run(command, check=True)
