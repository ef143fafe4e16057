"""Bundles, wheels and command lines for tests of `edge-vc flash`."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner, Result

from edge_vc.cli import app
from edge_vc_boards.wheels.runtime_wheel import write_runtime_wheel
from edge_vc_boards.wheels.wheel_list import WheelList, list_wheel, write_list


def flash(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["flash", *arguments], prog_name="edge-vc")


def small_wheels(folder: Path, python: str = "3.11", board: str = "pi4") -> Path:
    """Write a folder of `edge-vc wheels` that holds the runtime alone."""
    folder.mkdir()
    wheel = list_wheel(write_runtime_wheel(folder))
    write_list(folder, WheelList(board, "bookworm", python, "litert", (), "", "", (wheel,)))
    return folder


@dataclass(frozen=True)
class SigningPair:
    """A key and a way to sign with it."""

    private: Path

    @property
    def public(self) -> Path:
        return self.private.with_name(f"{self.private.name}.pub")

    def sign(self, bundle: Path) -> Path:
        done = CliRunner().invoke(
            app, ["sign", str(bundle), "--key", str(self.private)], prog_name="edge-vc"
        )
        assert done.exit_code == 0, done.stderr
        return bundle


def new_pair(folder: Path, name: str = "ci") -> SigningPair:
    keygen = shutil.which("ssh-keygen") or "ssh-keygen"
    words = ["-q", "-t", "ed25519", "-N", "", "-C", f"{name}@example.com", "-f", str(folder / name)]
    subprocess.run([keygen, *words], check=True)
    return SigningPair(folder / name)


def events(root: Path) -> list[tuple[str, str, str]]:
    """Return what an installation remembers: action, release, reason."""
    state = json.loads((root / "state.json").read_text())
    return [(event["action"], event["release"], event["reason"]) for event in state["events"]]
