"""QEMU's machine ``virt`` with a card in it; the part of the firmware is played here.

The firmware of a Raspberry Pi reads kernel and ``cmdline.txt`` from the boot partition at every
start. QEMU cannot, so both are read here and handed to it; a reboot ends QEMU, and the next start
reads them anew.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from boards_card_image import START
from boards_debian import run

MEMORY_MB = 1024


@dataclass
class Machine:
    """A board with a card."""

    card: Path
    folder: Path
    """For the kernel, the console's log and what is read off the card."""
    boots: list[float] = field(default_factory=list)
    """Seconds that each start has taken, until it was off again."""

    def start(self, timeout_s: float) -> str:
        """Run until the system powers off or reboots; return what the console said.

        The guest's clock follows its instructions, one per nanosecond: audio keeps its deadlines
        and nothing in it times out, however slow the emulation is. Raises `TimeoutError` with the
        last lines.
        """
        for name in ("kernel8.img", "initramfs8", "cmdline.txt"):
            (self.folder / name).write_bytes(self.read(name))
        log = self.folder / f"console-{len(self.boots)}.log"
        began = time.monotonic()
        with log.open("wb") as out:
            process = subprocess.Popen(
                self._command(), stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                tail = log.read_text(errors="replace")[-2000:]
                raise TimeoutError(f"still up after {timeout_s:.0f} s: {tail}") from None
            finally:
                process.kill()
                process.wait()
        self.boots.append(time.monotonic() - began)
        return log.read_text(errors="replace")

    def read(self, name: str) -> bytes:
        """Return a file of the boot partition."""
        target = self.folder / "read"
        target.unlink(missing_ok=True)
        run("mcopy", "-i", f"{self.card}@@{START}", f"::/{name}", str(target))
        return target.read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Put a file onto the boot partition."""
        source = self.folder / "written"
        source.write_bytes(data)
        run("mcopy", "-o", "-i", f"{self.card}@@{START}", str(source), f"::/{name}")

    def names(self) -> list[str]:
        """Return what is at the top of the boot partition."""
        return run("mdir", "-b", "-i", f"{self.card}@@{START}", "::/").replace("::/", "").split()

    def _command(self) -> list[str]:
        program = shutil.which("qemu-system-aarch64")
        assert program
        words = (self.folder / "cmdline.txt").read_text().strip()
        return [
            "setpriv", "--pdeathsig", "KILL",  # it does not outlive a test that is killed
            program, "-M", "virt", "-cpu", "cortex-a72", "-m", str(MEMORY_MB), "-nographic",
            "-no-reboot", "-nic", "none", "-serial", "stdio", "-monitor", "none",
            "-kernel", str(self.folder / "kernel8.img"),
            "-initrd", str(self.folder / "initramfs8"), "-append", words,
            "-drive", f"file={self.card},format=raw,if=virtio,cache=unsafe",
            "-icount", "shift=0,sleep=off", "-accel", "tcg,thread=single", "-smp", "1",
        ]  # fmt: skip
