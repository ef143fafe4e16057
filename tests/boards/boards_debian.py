"""A Debian for arm64 that stands in for Raspberry Pi OS, made without a stock image.

Packages are unpacked by this machine's dpkg, which is fast; only their scripts run under emulation.
What Raspberry Pi OS has beyond Debian for its first boot is taken from its published sources
(`boards_pi_tools`). Simulated is the firmware: QEMU is given the kernel and the words of
``cmdline.txt`` (`boards_card_machine`).

cloud-init is Debian's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_vc_boards.emulation.debian import fetch_alone, fetch_packages, unpack
from edge_vc_boards.emulation.error import UnavailableError

TOOLS = {
    "qemu-system-aarch64": "qemu-system-arm",
    "update-binfmts": "binfmt-support",
    "qemu-aarch64-static": "qemu-user-static",
    "depmod": "kmod",
    "xz": "xz-utils",
    "mke2fs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "git": "git",
    "make": "make",
}
ESSENTIAL = (
    "base-files", "base-passwd", "bash", "bsdutils", "coreutils", "dash", "debianutils",
    "diffutils", "dpkg", "findutils", "grep", "gzip", "hostname", "init-system-helpers", "libc-bin",
    "login", "mawk", "ncurses-bin", "passwd", "perl-base", "sed", "sysvinit-utils", "tar",
    "usr-is-merged", "util-linux",
)  # fmt: skip
PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "mount", "python3", "python3-venv",
    "alsa-utils", "libportaudio2", "openssh-server", "sudo", "iproute2", "netbase", "procps",
)  # fmt: skip
EXTRA = {"trixie": ("cloud-init", "netplan.io"), "bookworm": ()}
LEFT_OUT = (
    "usr/sbin/update-ca-certificates", "usr/bin/py3compile", "usr/bin/systemd-hwdb",
    "usr/bin/ssh-keygen", "var/lib/dpkg/info/locales.postinst",
)  # fmt: skip
KERNEL_SUITE = "trixie"
_FORM = "5"
"""Of what is done here; another one makes the folders anew."""
_PATH = f"/usr/sbin:/sbin:{os.environ.get('PATH', '')}"


def cache() -> Path:
    """Return the folder where systems and kernels are kept: some 700 MB each."""
    folder = Path(os.environ.get("EDGE_VC_CARDS", Path.home() / ".cache/edge-vc/cards"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def require_tools() -> None:
    """Skip the test, with the line that helps, where a system cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("no card is booted: a Debian for arm64 is made as root (sudo make test-cards)")
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool, path=_PATH)]
    if missing:
        pytest.skip(f"no card is booted: apt install {' '.join(sorted(missing))}")


def debian(suite: str) -> Path:
    """Return the folder of a system, made the first time; skips where Debian cannot be had."""
    folder = cache() / suite
    if (folder / "made").is_file() and (folder / "made").read_text() == _FORM:
        return folder / "root"
    shutil.rmtree(folder / "root", ignore_errors=True)
    root = folder / "root"
    root.mkdir(parents=True)
    try:
        packages = fetch_packages(
            (*ESSENTIAL, *PACKAGES, *EXTRA[suite]), "arm64", folder / "packages", suite
        )
    except UnavailableError as error:
        pytest.skip(f"no card is booted: {error}")
    _install(packages, root)
    _dress(root)
    (folder / "made").write_text(_FORM)
    return root


def kernel() -> Path:
    """Return a folder with ``vmlinuz``, ``lib/modules`` and ``busybox``, of Debian's kernel."""
    folder = cache() / "kernel"
    if (folder / "made").is_file():
        return folder
    shutil.rmtree(folder / "tree", ignore_errors=True)
    (folder / "busybox").mkdir(parents=True, exist_ok=True)
    try:
        found = fetch_packages(("linux-image-arm64",), "arm64", folder / "packages", KERNEL_SUITE)
        busybox = fetch_alone("busybox-static", "arm64", folder / "busybox", KERNEL_SUITE)
    except UnavailableError as error:
        pytest.skip(f"no card is booted: {error}")
    tree = folder / "tree"
    unpack([p for p in found if p.name.startswith("linux-image-")] + [busybox], tree)
    for release in (tree / "usr/lib/modules").iterdir():
        run("depmod", "-b", str(tree / "usr"), release.name)
    (folder / "made").touch()
    return folder


def run(*words: str, timeout_s: float = 3600.0) -> str:
    """Run a tool of this machine; its complaint is the failure's text."""
    program = shutil.which(words[0], path=_PATH) or words[0]
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "PATH": _PATH}
    done = subprocess.run(
        [program, *words[1:]], capture_output=True, text=True, timeout=timeout_s, env=environment,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{words[0]}: {(done.stderr or done.stdout)[-800:]}"
    return done.stdout


def _install(packages: Sequence[Path], root: Path) -> None:
    for name in ("bin", "sbin", "lib"):  # Debian's merged /usr, before anything is unpacked
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    unpack(packages, root)
    passwd = root / "usr/share/base-passwd"
    for name in ("passwd", "group"):
        shutil.copy(passwd / f"{name}.master", root / "etc" / name)
    database = root / "var/lib/dpkg"
    (database / "info").mkdir(parents=True, exist_ok=True)
    (database / "status").touch()
    (database / "arch").write_text("arm64\n")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    emulate_programs()
    options = [f"--root={root}", f"--log={root}/var/log/dpkg.log"]
    options += ["--force-architecture", "--force-unsafe-io", "--force-confnew"]
    # To this machine's dpkg a package for every architecture depends on packages for its own.
    options.append("--force-depends")
    run("mount", "-t", "proc", "proc", str(root / "proc"))
    try:
        run("dpkg", *options, "--unpack", *map(str, packages))
        _configure(root, options)
    finally:
        run("umount", str(root / "proc"))
    policy.unlink()


def _configure(root: Path, options: list[str]) -> None:
    """Run the packages' scripts, without what takes most of their time and no card needs."""
    left_out = [root / name for name in LEFT_OUT if (root / name).exists()]
    for program in left_out:
        program.rename(f"{program}.real")
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
    for _ in range(4):  # dpkg leaves packages for the next call whose needs it has just met
        try:
            run("dpkg", *options, "--configure", "-a")
        except AssertionError as error:
            failure = error
        else:
            break
    else:
        raise failure
    for program in left_out:
        Path(f"{program}.real").rename(program)


def emulate_programs() -> None:
    """Let this machine run programs for arm64: packages' scripts are such programs."""
    place = Path("/proc/sys/fs/binfmt_misc")
    if not (place / "register").exists():
        run("mount", "-t", "binfmt_misc", "none", str(place))
    if not (place / "qemu-aarch64").exists():
        run("update-binfmts", "--enable", "qemu-aarch64")


def _dress(root: Path) -> None:
    """Add what every Raspberry Pi OS has: account 1000, no SSH server yet, the boot partition."""
    (root / "boot/firmware").mkdir(parents=True, exist_ok=True)
    run("chroot", str(root), "useradd", "-m", "-u", "1000", "-s", "/bin/bash", "pi")
    (root / "etc/systemd/system/multi-user.target.wants/ssh.service").unlink()
    run("ssh-keygen", "-A", "-f", str(root))
    (root / "etc/hostname").write_text("raspberrypi\n")
    (root / "etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.1.1\traspberrypi\n")
    (root / "etc/fstab").write_text(
        "/dev/vda2 / ext4 defaults,noatime 0 1\n/dev/vda1 /boot/firmware vfat defaults 0 2\n"
    )
    # What update-ca-certificates would make: without it, Debian 13's pip does not even start.
    listed = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    certificates = "\n".join(path.read_text() for path in listed)
    (root / "etc/ssl/certs/ca-certificates.crt").write_text(certificates)
    (release,) = (kernel() / "tree/usr/lib/modules").iterdir()
    target = root / "usr/lib/modules" / release.name
    shutil.copytree(release, target, symlinks=True, ignore=_without_drivers, dirs_exist_ok=True)
    run("depmod", "-b", str(root), release.name)
    (root / "etc/modules-load.d/sound.conf").write_text("snd-aloop\n")


def _without_drivers(folder: str, names: list[str]) -> list[str]:
    """Leave out drivers of machines that QEMU's ``virt`` is not: 100 MB of the card."""
    unused = {"gpu", "media", "wireless", "infiniband", "iio", "staging", "ethernet", "scsi"}
    return [name for name in names if name in unused]
