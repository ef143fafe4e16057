"""Limits of a trial's process: memory, CPU time, files."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

MEMORY = 192 << 20
"""Bytes of address space in addition to what the libraries needed for loading."""
MEMORY_PER_BYTE = 6
"""Additional bytes per byte of the model: it is read, packed for the kernels and laid out."""
LEAST_CPU_S = 1.0
CPU_PER_IMPORT = 2.0
"""CPU time allowed, relative to that for loading the libraries: boards differ tenfold."""
_FILES = 64
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_allowance() -> float:
    """Return the CPU time in s that a model may take, from what this process has used so far."""
    used = os.times()
    return max(LEAST_CPU_S, CPU_PER_IMPORT * (used.user + used.system))


def apply_limits(model_bytes: int, cpu_s: float) -> None:
    """Limit this process from here on; after ``cpu_s`` of CPU time SIGPROF ends it.

    No file can be written, not even a core dump.
    """
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    memory = _address_space() + MEMORY + MEMORY_PER_BYTE * model_bytes
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, int(2 * cpu_s) + int(sum(os.times()[:2])) + 2)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _FILES)


def _address_space() -> int:
    """Return the bytes of address space in use."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(kind, (most, most))
