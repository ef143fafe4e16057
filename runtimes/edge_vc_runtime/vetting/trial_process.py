"""Opens a model in a separate process with limits before it is opened in this one."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from typing import IO

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.admission import UnsafeBundleError
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.kind import EngineKind
from edge_vc_runtime.message import one_line

_START_S = 120.0
"""Time limit in s for loading the libraries; the bundle has not been read by then."""
_WALL_PER_CPU, _WALL_SPARE_S = 10.0, 5.0
"""Wall-clock limit in s per CPU time, plus a margin: it ends a process that hangs; on a busy board
a process may run slowly."""
_LONGEST = 1000  # bytes of a reply
_SLOW = (signal.SIGPROF, signal.SIGXCPU, signal.SIGKILL)


def try_model(bundle: Bundle, kind: EngineKind, model: ModelEntry) -> None:
    """Open a model of a single-tier bundle and run some hops, in another process.

    Raises `EngineError` if the engine rejects it, `UnsafeBundleError` if it crashes, takes too long
    or uses too much memory.
    """
    place = f"{bundle.path}: {model.file}"
    size = bundle.manifest.files[model.file].size
    words = [kind.name, bundle.manifest.default_tier, model.file, str(size)]
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "edge_vc_runtime.vetting", *words],
            stdin=bundle.file.fileno(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd="/", env=_environment(), start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise EngineError(f"{place}: cannot be tried in a process of its own: {error}") from error
    with child:
        try:
            verdict = _answers(child)
        finally:
            child.kill()
    _judge(verdict, child.wait(), place, kind.name)


def _environment() -> dict[str, str]:
    """Return the process's environment: import path, one thread, one memory arena."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    folders = [os.path.abspath(folder) for folder in sys.path if folder]
    return kept | {
        "PYTHONPATH": os.pathsep.join(folders),
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        "LC_ALL": "C.UTF-8",
    }


def _answers(child: subprocess.Popen[bytes]) -> str | None:
    """Return the process's second reply; "" if it never loaded, None if it ended."""
    assert child.stdout is not None
    ready = _line(child.stdout, time.monotonic() + _START_S)
    if not ready.startswith("ready "):
        return ""
    cpu_s = float(ready.split()[1])
    deadline = time.monotonic() + _WALL_PER_CPU * cpu_s + _WALL_SPARE_S
    return _line(child.stdout, deadline) or None


def _line(stream: IO[bytes], deadline: float) -> str:
    """Return the next line, empty if none arrived in time."""
    said = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(stream, selectors.EVENT_READ)
        while not said.endswith(b"\n") and len(said) < _LONGEST:
            if not waiting.select(max(0.0, deadline - time.monotonic())):
                return ""
            byte = os.read(stream.fileno(), 1)
            if not byte:
                return ""
            said += byte
    return said.decode("utf-8", "replace").strip()


def _judge(verdict: str | None, status: int, place: str, engine: str) -> None:
    """Raise the error that corresponds to the reply and the exit of the process, if any."""
    if verdict == "passed":
        return
    if verdict == "":
        raise EngineError(f"{place}: engine {engine} did not load in a process of its own")
    if verdict is not None:
        reason = one_line(verdict.removeprefix("refused ").replace("/dev/stdin: ", ""))
        raise EngineError(f"{place}: {reason}".replace(f"{place}: {place}", place))
    if -status in _SLOW:
        fact = "takes too long to open or to run"
    elif status < 0:
        fact = f"crashes the engine ({_signal_name(-status)})"
    else:
        fact = f"ends the engine's process (exit code {status})"
    raise UnsafeBundleError(f"{place}: {fact} when {engine} tries it in a process of its own")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
