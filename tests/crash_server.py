"""Forks runs of a verb and keeps what a kill would leave: one import of torch for all of them.

Reads JSON lines ``{"words", "root", "kept", "clock"}`` on stdin. With ``kept``, every state in
which a kill leaves the folder ``root`` is copied there. Answers ``{"code", "points", "said"}``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from crash_points import CHANGES, NAMES, CrashStates, count_changes, move_clock
from declared_outputs import declared

import edge_vc.training.student.run
import edge_vc_export.bundle.release  # noqa: F401  loaded once, for every child
import edge_vc_runtime.bundle.manifest  # noqa: F401
from edge_vc.cli import app
from edge_vc.workers.inline_pool import InlinePool


def inline(opener: Any, *_: Any, **__: Any) -> InlinePool[Any, Any]:
    """Stand in for a pool of processes, which would import torch for every run."""
    return InlinePool(opener)


def without_processes() -> None:
    """Let every pool work in this process."""
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("edge_vc") and hasattr(module, "ProcessPool"):
            module.ProcessPool = inline


def run(words: list[str], root: str, kept: str | None, clock: float, said: int) -> dict[str, Any]:
    """Run a verb in this process."""
    os.dup2(said, 1)
    os.dup2(said, 2)
    torch.set_num_threads(1)
    counted, loaded = None, set(sys.modules)
    move_clock(clock)
    if kept is not None:
        states = CrashStates(Path(root), Path(kept))
        counted = count_changes(CHANGES + NAMES, lambda _: states.keep())
    code = 0
    try:
        app(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    news = sorted(set(sys.modules) - loaded)
    return {"code": code, "points": counted() if counted else 0, "loaded": news}


def load(names: list[str]) -> None:
    """Import what a child had to, for those that follow."""
    for name in names:
        with suppress(Exception):
            import_module(name)
    without_processes()


def forked(order: dict[str, Any]) -> dict[str, Any]:
    """Run a verb in a child."""
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            answer: dict[str, Any] = {"code": -1, "points": 0, "loaded": []}
            try:
                answer = run(**order, said=said.fileno())
            finally:
                os.write(writer, json.dumps(answer).encode())
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            answer = json.loads(told.read())
        os.waitpid(child, 0)
        load(answer.pop("loaded"))
        said.seek(0)
        return answer | {"said": said.read().decode(errors="replace")}


if __name__ == "__main__":
    edge_vc.training.student.run.PITCH_STEPS = 20  # of 2000: nothing is written between them
    list(declared())  # loads every verb
    without_processes()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(forked(json.loads(line))) + "\n")
        sys.stdout.flush()
