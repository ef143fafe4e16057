"""A fake board in a folder: the facts that it reports, and an ``ssh`` that connects to it."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import edge_vc_runtime
from edge_vc_boards.testing import fake_ssh
from edge_vc_boards.testing.fake_tools import TOOLS

_FOLDERS = (
    "boot/firmware/overlays",
    "home/pi",
    "opt",
    "proc/device-tree",
    "proc/asound",
    "etc/systemd/system",
)


@dataclass(frozen=True)
class FakeBoardFacts:
    """The facts that the board reports; the defaults are those of a Raspberry Pi 4."""

    arch: str = "aarch64"
    bits: int = 64
    glibc: str = "2.36"
    python: str = "3.11"
    venv: bool = True
    model: str = "Raspberry Pi 4 Model B Rev 1.4"
    """Model in the device tree; empty for a machine without one."""
    tegra: str = ""
    """Content of ``/etc/nv_tegra_release``; empty for none."""
    power: str = ""
    """Power mode printed by nvpmodel; empty for none."""
    user: str = "pi"
    uid: int = 1000
    sudo: bool = True
    """Whether sudo works without a password."""
    free_kb: int = 8 << 20
    ram_kb: int = 2 << 20
    cards: int = 1
    systemd: bool = True
    clock: int = field(default_factory=lambda: int(time.time()))
    throttled: str = "0x0"
    """As printed by vcgencmd."""


class FakeBoard:
    """A folder in which a fake ``ssh`` runs commands, with a board's tools faked.

    Bundles are installed there by the `edge_vc_runtime` imported here; pip does nothing.
    """

    def __init__(self, folder: Path, facts: FakeBoardFacts | None = None) -> None:
        """Create the folder."""
        self.folder = folder.resolve()
        self.facts = facts or FakeBoardFacts()
        for name in ("bin", "client", *_FOLDERS):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.answer()
        self._describe()
        self.pip_fails(False)
        program = shlex.join([sys.executable, "-I", fake_ssh.__file__, str(self.folder)])
        _write_program(self.folder / "client" / "ssh", f'exec {program} "$@"')

    def path(self) -> str:
        """Return a PATH whose ``ssh`` connects to this board."""
        return f"{self.folder / 'client'}{os.pathsep}{os.environ.get('PATH', '')}"

    def commands(self) -> list[str]:
        """Return the commands run there so far."""
        log = self.folder / "commands.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def fail(self, said: str, after: int = 0) -> None:
        """Let ``ssh`` fail with the message ``said`` once ``after`` more commands have run."""
        start = len(self.commands()) + after + 1
        (self.folder / "failure.json").write_text(json.dumps({"said": said, "from": start}))

    def answer(self) -> None:
        """Let ``ssh`` work again."""
        (self.folder / "failure.json").write_text(json.dumps({"said": "", "from": 0}))

    def service_fails(self, fails: bool = True) -> None:
        """Let the service fail, or work again, at its next start."""
        mark = self.folder / "service-fails"
        if fails:
            mark.touch()
        else:
            mark.unlink(missing_ok=True)

    def pip_fails(self, fails: bool = True) -> None:
        """Let pip fail there, or work again."""
        self._write_tools(pip_code=int(fails))

    def file(self, path: str) -> Path:
        """Return the local path of a file on the board, e.g. ``/etc/edge-vc/allowed_signers``."""
        return self.folder / path.lstrip("/")

    def _describe(self) -> None:
        facts = self.facts
        if facts.model:
            self.file("/proc/device-tree/model").write_bytes(facts.model.encode() + b"\0")
        if facts.tegra:
            self.file("/etc/nv_tegra_release").write_text(f"{facts.tegra}\n")
        self.file("/etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
        self.file("/etc/group").write_text("root:x:0:\naudio:x:29:pi\n")
        self.file("/proc/meminfo").write_text(f"MemAvailable:   {facts.ram_kb} kB\n")
        cards = "".join(f" {n} [USB{n}           ]: USB-Audio\n" for n in range(facts.cards))
        self.file("/proc/asound/cards").write_text(cards or "--- no soundcards ---\n")
        if facts.systemd:
            self.file("/run/systemd/system").mkdir(parents=True, exist_ok=True)

    def _write_tools(self, pip_code: int) -> None:
        facts = vars(self.facts) | {
            "sudo": "yes" if self.facts.sudo else "no",
            "venv": "yes" if self.facts.venv else "no",
            "power": shlex.quote(self.facts.power) if self.facts.power else "",
            "folder": shlex.quote(str(self.folder)),
            "host_python": shlex.quote(sys.executable),
            "packages": shlex.quote(str(Path(edge_vc_runtime.__file__).parent.parent)),
            "pip_code": pip_code,
        }
        for name, text in TOOLS.items():
            _write_program(self.folder / "bin" / name, text.format(**facts))


def _write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
