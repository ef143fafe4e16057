"""The machine's constant properties, read from ``/proc`` and ``/sys``; None where unknown."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from edge_vc_runtime.profiling.report import Environment, Machine
from edge_vc_runtime.sysfs import cpu_model, device_model, read_text

EMULATED = "EDGE_VC_EMULATED"
"""Environment variable that `edge-vc emulate run` sets."""
_POLICIES = {0: "other", 1: "fifo", 2: "rr", 3: "batch", 5: "idle", 6: "deadline"}


def read_machine(root: Path = Path("/")) -> Machine:
    """Return the constant properties; ``root`` is the folder that contains ``proc`` and ``sys``."""
    affinity = os.sched_getaffinity(0)
    policy = os.sched_getscheduler(0)
    meminfo = re.search(r"MemTotal:\s+(\d+) kB", read_text(root, "proc/meminfo") or "")
    return Machine(
        model=device_model(root),
        cpu=cpu_model(root),
        arch=platform.machine(),
        cores=os.cpu_count() or 1,
        memory_mb=int(meminfo[1]) // 1024 if meminfo else None,
        kernel=platform.release(),
        preemption=_preemption(root),
        affinity=tuple(sorted(affinity)),
        policy=_POLICIES.get(policy, str(policy)),
    )


def detect_environment(
    root: Path = Path("/"), variables: Mapping[str, str] = os.environ
) -> Environment:
    """Return ``board`` if a device tree names a Raspberry Pi or a Jetson, otherwise ``host``.

    An emulated board looks like a board: its emulator sets the variable `EMULATED`.
    """
    if variables.get(EMULATED):
        return "emulated"
    model = device_model(root) or ""
    return "board" if re.search(r"raspberry pi|jetson|tegra|orin", model, re.I) else "host"


def resident_mb(root: Path = Path("/")) -> tuple[float, float]:
    """Return this process's resident memory and its peak in MB; NaN where unknown."""
    status = read_text(root, "proc/self/status") or ""
    found = [re.search(rf"{key}:\s+(\d+) kB", status) for key in ("VmRSS", "VmHWM")]
    now, peak = (int(match[1]) * 1024 / 1e6 if match else float("nan") for match in found)
    return now, peak


def _preemption(root: Path) -> str | None:
    if read_text(root, "sys/kernel/realtime") == "1":
        return "rt"
    match = re.search(r"PREEMPT(_[A-Z]+)?", platform.version())
    return match[0].lower() if match else None
