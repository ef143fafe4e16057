"""Whether this CPU's INT8 kernels in ONNX Runtime saturate.

On x86 without VNNI, u8 x s8 products are added in pairs in 16 bits (``vpmaddubsw``), which clips
where both are large: a trunk then differs by 16 dB SNR from exact integer arithmetic.
Arm kernels and VNNI accumulate in 32 bits.
"""

from __future__ import annotations

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def kernels_saturate(machine: str | None = None, cpuinfo: Path = CPUINFO) -> bool:
    """Say whether ``machine`` (default: this one) is x86 whose listed flags hold no VNNI.

    False where the flags cannot be read.
    """
    if (machine or platform.machine()).lower() not in ("x86_64", "amd64"):
        return False
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return bool(flags) and "vnni" not in flags
