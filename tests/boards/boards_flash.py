"""Bundles, wheels and command lines for tests of `edge-vc flash`."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from runtime_bundles import listed, write_bundle
from typer.testing import CliRunner, Result

from edge_vc.assets import bundle_path
from edge_vc.cli import app
from edge_vc_boards.wheels.runtime_wheel import write_runtime_wheel
from edge_vc_boards.wheels.wheel_list import WheelList, list_wheel, write_list
from edge_vc_runtime.bundle.reader import read_bundle


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


def shipped_as(path: Path, version: str, pair: SigningPair, gain: float = 1.0) -> Path:
    """Write the shipped bundle as another version; another gain is one that it does not have."""
    shipped = read_bundle(bundle_path("kathleen-nano"))
    files = {name: shipped.read(name) for name in shipped.manifest.files}
    golden = shipped.manifest.golden
    assert golden is not None
    scaled = {
        name: array * np.float32(gain) if name.startswith("output") else array
        for name, array in shipped.golden().items()
    }
    content = io.BytesIO()
    np.savez(content, **scaled)
    files[golden.file] = content.getvalue()
    manifest = listed(replace(shipped.manifest, version=version), files)
    return pair.sign(write_bundle(path, manifest, files))


def events(root: Path) -> list[tuple[str, str, str]]:
    """Return what an installation remembers: action, release, reason."""
    state = json.loads((root / "state.json").read_text())
    return [(event["action"], event["release"], event["reason"]) for event in state["events"]]
