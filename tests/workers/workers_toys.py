"""What workers of the tests do; importable by name in their processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any


class AwkwardError(Exception):
    """An exception that cannot be made anew from its arguments."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


class CountingTorch(ModuleType):
    """Stands in for torch, which takes seconds to import."""

    def set_num_threads(self, threads: int) -> None:
        self.threads = threads


def act(order: str) -> object:
    """Do what an item says."""
    match order:
        case "pid":
            return os.getpid()
        case "die":
            os._exit(7)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(600)
        case "raise":
            raise ValueError("a bad item")
        case "awkward":
            raise AwkwardError(1, 2)
        case "unsendable":
            raise ValueError(threading.Lock())
        case "threads":
            return os.environ["OMP_NUM_THREADS"], getattr(sys.modules.get("torch"), "threads", None)
        case "load torch":
            sys.modules["torch"] = CountingTorch("torch")
        case "interrupt":
            signal.raise_signal(signal.SIGINT)
            return "still here"
        case "signals":
            numbers = (signal.SIGINT, signal.SIGTERM)
            return [signal.getsignal(number) is signal.SIG_IGN for number in numbers]
        case "grandchild":
            code = "import signal; print(signal.getsignal(signal.SIGINT).__name__)"
            return subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    return order.upper()


def slow_square(number: int) -> int:
    """Take longer for smaller numbers, so that they come out of order."""
    time.sleep(0.05 * (3 - number % 4))
    return number * number


def forever(folder: str) -> None:
    """Write this process's id under ``folder`` and start a program; clean up when unwound."""
    part = Path(folder) / f"{os.getpid()}.part"
    with subprocess.Popen(["/bin/sleep", "600"]) as program:
        part.write_text(str(program.pid))
        try:
            program.wait()
        finally:
            program.kill()
            part.unlink()


@dataclass(frozen=True)
class Acting:
    """Opens as it is told, and then does what items say."""

    opening: str = ""

    def __call__(self, report: Callable[[Any], None]) -> Callable[[str], object]:
        if self.opening:
            act(self.opening)

        def work(order: str) -> object:
            report(f"begins {order}")
            return act(order)

        return work
