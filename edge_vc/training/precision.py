"""The number format that networks are trained in: the one that the device multiplies fast."""

from __future__ import annotations

from pathlib import Path

import torch

PRECISIONS = ("auto", "bf16-mixed", "32")
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""CPU flags for products in bfloat16: the first two on x86-64, the last on arm64."""


def chosen_precision(precision: str, device: torch.device, root: Path = Path("/")) -> str:
    """Return ``bf16-mixed`` or ``32``: the one requested, or the faster one for ``auto``.

    A processor without bfloat16 products emulates them: the trunk then takes nine times as long as
    in single precision (host: AVX2). ``root`` is the folder that contains ``proc``.
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
