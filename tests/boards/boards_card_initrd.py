"""The smallest initial RAM disk that finds the root partition: busybox and a few drivers."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

WANTED = ("virtio_pci", "virtio_mmio", "virtio_blk", "ext4", "crc32c_generic")
_INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /modules/$module.ko; done
while [ ! -b /dev/vda2 ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda2 /root
/bin/busybox mount --move /dev /root/dev
/bin/busybox umount /proc /sys
exec /bin/busybox switch_root /root /sbin/init
"""


def write_initrd(path: Path, tree: Path) -> None:
    """Write an archive of the modules in ``tree`` that the disk of QEMU's ``virt`` needs."""
    (folder,) = (tree / "usr/lib/modules").iterdir()
    modules = _in_order(folder)
    files = {"bin/busybox": (0o100755, (tree / "usr/bin/busybox").read_bytes())}
    for name, module in modules.items():
        data = module.read_bytes()
        packed = module.suffix == ".xz"
        files[f"modules/{name}.ko"] = (0o100644, lzma.decompress(data) if packed else data)
    files["init"] = (0o100755, _INIT.format(modules=" ".join(modules)).encode())
    for name in ("bin", "modules"):
        files[name] = (0o40755, b"")
    archive = b"".join(_entry(name, *files[name]) for name in sorted(files))
    path.write_bytes(gzip.compress(archive + _entry("TRAILER!!!", 0, b""), 1, mtime=0))


def _in_order(folder: Path) -> dict[str, Path]:
    """Return the wanted modules, each after those it depends on; built-in ones are left out."""
    lines = (line.split(":", 1) for line in (folder / "modules.dep").read_text().splitlines())
    needs = {_name(path): (path, rest.split()) for path, rest in lines}
    found: dict[str, Path] = {}

    def add(name: str) -> None:
        if name in needs and name not in found:
            path, others = needs[name]
            for other in others:
                add(_name(other))
            found[name] = folder / path

    for name in WANTED:
        add(name)
    return found


def _name(path: str) -> str:
    return Path(path).name.partition(".")[0].replace("-", "_")


def _entry(name: str, mode: int, data: bytes) -> bytes:
    """Return one entry of a cpio archive in the form "newc"."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(f"{field:08X}".encode() for field in fields)
    head += name.encode() + b"\0"
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
