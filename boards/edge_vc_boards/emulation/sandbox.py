"""A sandbox for the emulated root: private mounts, then ``chroot``.

Runs in its own process under ``unshare --mount``, which keeps the mounts private; they disappear
when it ends. `edge_vc_boards.emulation.run` starts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sandbox:
    """The root, what is mounted below it, and the command to run."""

    root: str
    kernel_proc: str
    """Mount point, below the root, of the kernel's own ``/proc``."""
    binds: tuple[tuple[str, str, bool], ...]
    """Host folder, mount point below the root, whether it is writable."""
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]

    def launcher(self) -> list[str]:
        """Return the command that enters the sandbox."""
        return [
            *namespace(),
            sys.executable,
            "-m",
            "edge_vc_boards.emulation.sandbox",
            json.dumps(asdict(self)),
        ]

    def enter(self) -> None:
        """Mount everything and exec the command; does not return."""
        root = Path(self.root)
        _mount(["--bind", self.root, self.root])
        _mount(["-t", "proc", "proc", str(root / self.kernel_proc.lstrip("/"))])
        for source, place, writable in self.binds:
            target = str(root / place.lstrip("/"))
            # In a user namespace, submounts must not be uncovered.
            _mount(["--rbind", source, target])
            if not writable:
                _mount(["-o", "remount,bind,ro", target])
        os.chroot(root)
        os.chdir("/")
        os.execve(self.command[0], self.command, dict(self.environment))


def namespace() -> list[str]:
    """Return a command prefix that gives private mounts, as root or as an ordinary user."""
    unshare = ["unshare", "--mount", "--propagation", "private"]
    if os.geteuid() == 0:
        return unshare
    return [*unshare, "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


def _mount(arguments: Sequence[str]) -> None:
    subprocess.run(["mount", *arguments], check=True)


def main(argv: list[str]) -> int:
    """Enter the sandbox described as JSON in the only argument."""
    spec = json.loads(argv[0])
    Sandbox(
        root=spec["root"],
        kernel_proc=spec["kernel_proc"],
        binds=tuple((source, place, writable) for source, place, writable in spec["binds"]),
        command=tuple(spec["command"]),
        environment=tuple((key, value) for key, value in spec["environment"]),
    ).enter()
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
