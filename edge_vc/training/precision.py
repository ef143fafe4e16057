"""Which number format networks are trained in: what the device multiplies fast."""

from __future__ import annotations

from pathlib import Path

import torch

PRECISIONS = ("auto", "bf16-mixed", "32")
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Processors' names for products in bfloat16: of x86-64, and the last one of arm64."""


def chosen_precision(precision: str, device: torch.device, root: Path = Path("/")) -> str:
    """Return ``bf16-mixed`` or ``32``: what is asked for, or what is fast for ``auto``.

    A processor without products in bfloat16 emulates them: the trunk then takes nine times as
    long as in single precision (host: AVX2). ``root`` is where ``proc`` lies.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32"
    return "bf16-mixed" if BF16_FLAGS & _flags(root / "proc/cpuinfo") else "32"


def _flags(cpuinfo: Path) -> set[str]:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    named = (line.partition(":") for line in lines)
    return {flag for name, _, text in named if name.strip() in _NAMES for flag in text.split()}


_NAMES = ("flags", "Features")
