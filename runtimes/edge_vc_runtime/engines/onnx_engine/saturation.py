"""Detects whether ONNX Runtime's INT8 kernels saturate on this CPU.

On x86 without VNNI, u8 x s8 products are added in pairs in 16 bits (``vpmaddubsw``), which clips
if both are large: a trunk then differs by 16 dB SNR from exact integer arithmetic.
Arm kernels and VNNI accumulate in 32 bits.
"""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def kernels_saturate(machine: str | None = None, cpuinfo: Path = CPUINFO) -> bool:
    """Return whether ``machine`` (default: this one) is x86 without VNNI in its listed flags.

    False if the flags cannot be read.
    """
    if (machine or platform.machine()).lower() not in ("x86_64", "amd64"):
        return False
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return bool(flags) and "vnni" not in flags
