"""A process's CPU time, also by thread, and memory, as reported by the kernel."""

from __future__ import annotations

import time
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process in s, all threads."""
    # The kernel's clock of another process, exact to a microsecond; /proc counts ticks of 10 ms.
    return time.clock_gettime((~pid << 3) | 2)


def cpu_of_threads(pid: int) -> dict[str, float]:
    """Return CPU seconds by thread name; threads with the same name are added up."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            spent = int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:  # ended in the meantime
            continue
        name = {"threaded-ml": "libpulse"}.get(name, name.replace(" ", "_"))
        found[name] = found.get(name, 0.0) + spent
    return found


def memory_mb(pid: int, name: str) -> float:
    """Return the memory of a process in MB; RssAnon is its private memory, without libraries and
    what it shares with the sound server."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return round(int(line.split()[1]) / 1024, 2)
    return float("nan")
