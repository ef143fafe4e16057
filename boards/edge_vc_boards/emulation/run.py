"""Run a command as if on a board: QEMU user emulation in a small arm64 root.

Kernels, values and instruction counts are those of the core that QEMU models. Times are not, so
nothing here indicates how long anything takes on a board.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import edge_vc_boards
import edge_vc_runtime
from edge_vc_boards.board import Board
from edge_vc_boards.emulation.counts import InstructionCounts, read_counts
from edge_vc_boards.emulation.error import EmulationError
from edge_vc_boards.emulation.fake_proc import HOST_PROC, write_fake_proc
from edge_vc_boards.emulation.root import check_host, default_root, is_made
from edge_vc_boards.emulation.root_content import APP, PYTHON, QEMU, WHEELS
from edge_vc_boards.emulation.sandbox import Sandbox
from edge_vc_runtime.profiling.machine import EMULATED

SHARE = "/mnt"
"""Where a command sees the folder shared with it."""
_LOADER = f"{QEMU}/ld-linux-x86-64.so.2"


@dataclass(frozen=True)
class CommandResult:
    """Exit code, output and counts of a finished command."""

    code: int
    stdout: str
    stderr: str
    counts: tuple[InstructionCounts, ...]
    """One per mark that the command set; empty unless counting was requested."""


def run_on(
    board: Board,
    command: Sequence[str],
    *,
    root: Path | None = None,
    share: Path | None = None,
    count: bool = False,
    capture: bool = True,
    timeout_s: float = 600.0,
) -> CommandResult:
    """Run a command of the emulated root as if on a board.

    ``share`` is a folder that the command sees, read-only, as ``/mnt``. Raises `EmulationError`
    if there is no root or the command takes longer than ``timeout_s``.
    """
    _, emulation = board.processor()
    root = (root or default_root()).absolute()
    check_host()
    if not is_made(root):
        raise EmulationError(f"{root}: no emulated root; make it: edge-vc emulate setup")
    with tempfile.TemporaryDirectory(prefix="edge-vc-board-") as name:
        scratch = Path(name)
        _write_policy(scratch / "tmp")
        write_fake_proc(board, scratch)
        sandbox = _sandbox(emulation.cpu, _absolute(root, command), root, scratch, share, count)
        try:
            done = subprocess.run(
                sandbox.launcher(), capture_output=capture, text=True, timeout=timeout_s
            )
        except subprocess.TimeoutExpired as error:
            raise EmulationError(f"{command[0]} ran longer than {timeout_s:.0f} s") from error
        counts = read_counts(scratch / "tmp" / "counts.jsonl") if count else []
    return CommandResult(done.returncode, done.stdout or "", done.stderr or "", tuple(counts))


def tried_on(board: Board, root: Path) -> str:
    """Load every engine of the root once as on a board; return what was loaded.

    Raises `EmulationError` with the last line of the failure's output.
    """
    word = (
        "from edge_vc_runtime.engines import engine_kinds as k\n"
        "for e in k().values():\n"
        "  if e.wheels: e.load(); print(e.name, *(v.version for v in e.installed()))\n"
    )
    done = run_on(board, ["python3", "-c", word], root=root)
    if done.code:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.code}"])[-1]
        raise EmulationError(f"the engines do not load as on a {board.name}: {last}")
    return f"{', '.join(done.stdout.splitlines())} load as on a {board.title}"


def _sandbox(
    cpu: str, command: Sequence[str], root: Path, scratch: Path, share: Path | None, count: bool
) -> Sandbox:
    packages = [Path(module.__file__ or "").parent for module in (edge_vc_runtime, edge_vc_boards)]
    binds = [
        ("/dev", "/dev", True),
        (str(scratch / "proc"), "/proc", False),
        (str(scratch / "sys"), "/sys", False),
        (str(scratch / "tmp"), "/tmp", True),
        *[(str(package), f"{APP}/{package.name}", False) for package in packages],
    ]
    if share is not None:
        binds.append((str(share.absolute()), SHARE, False))
    plugin = ["-plugin", f"{QEMU}/libicount.so,out=/tmp/counts.jsonl"] if count else []
    loader = [_LOADER, "--library-path", QEMU]
    emulator = [f"{QEMU}/qemu-aarch64", "-cpu", cpu, *plugin]
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "LC_ALL": "C.UTF-8",
        EMULATED: "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": f"{APP}:{WHEELS}",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Sandbox(
        root=str(root),
        kernel_proc=HOST_PROC,
        binds=tuple(binds),
        command=(*loader, *emulator, *command),
        environment=tuple(environment.items()),
    )


def _write_policy(home: Path) -> None:
    """Allow bundles without a trial: the emulator is one itself and cannot run a second process."""
    policy = home / ".config" / "edge-vc" / "trust.json"
    policy.parent.mkdir(parents=True)
    policy.write_text('{"unseen": "allow"}')


def _absolute(root: Path, command: Sequence[str]) -> list[str]:
    """Return the command with the full path of its program: QEMU does not search PATH."""
    program, *arguments = command
    for folder in ("", "/usr/bin", "/bin"):
        path = f"{folder}/{program}" if folder else program
        if path.startswith("/") and os.path.lexists(root / path[1:]):
            return [path, *arguments]
    raise EmulationError(f"{program}: not in the emulated root, which has {PYTHON} and its wheels")
