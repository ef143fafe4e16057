"""Single values from ``/proc`` and ``/sys``; None if a file does not exist."""

from __future__ import annotations

import re
from pathlib import Path

_DEVICE_MODEL = "proc/device-tree/model"


def read_text(root: Path, name: str) -> str | None:
    """Return the stripped content of ``root / name``, None if it is empty or unreadable."""
    try:
        return (root / name).read_text(errors="replace").strip("\0\n ") or None
    except OSError:
        return None


def device_model(root: Path = Path("/")) -> str | None:
    """Return the model in the device tree, None if there is no device tree."""
    return read_text(root, _DEVICE_MODEL)


def cpu_model(root: Path = Path("/")) -> str | None:
    """Return the processor's name from ``/proc/cpuinfo``."""
    text = read_text(root, "proc/cpuinfo") or ""
    for key in ("model name", "Hardware", "CPU part"):
        match = re.search(rf"^{key}\s*:\s*(.+)$", text, re.M)
        if match:
            return match[1].strip() if key != "CPU part" else f"Arm part {match[1].strip()}"
    return None
