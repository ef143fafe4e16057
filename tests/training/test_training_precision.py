"""Products are in bfloat16 only where the device has them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from edge_vc.training.devices import OneDevice
from edge_vc.training.precision import chosen_precision

CPU = torch.device("cpu")
X86 = "processor\t: 0\nmodel name\t: avx512_bf16 in its name only\nflags\t\t: fpu sse2 avx2{}\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd asimddp{}\nCPU part\t: 0xd0b\n"


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (X86.format(""), "32"),
        (X86.format(" avx512_bf16"), "bf16-mixed"),
        (X86.format(" amx_bf16 amx_tile"), "bf16-mixed"),
        (ARM.format(""), "32"),
        (ARM.format(" bf16"), "bf16-mixed"),
        (ARM.format(" ebf16"), "32"),
        ("", "32"),
        (None, "32"),
    ],
)
def test_a_processor_that_emulates_bfloat16_trains_in_single_precision(
    tmp_path: Path, cpuinfo: str | None, expected: str
) -> None:
    if cpuinfo is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/cpuinfo").write_text(cpuinfo)
    assert chosen_precision("auto", CPU, tmp_path) == expected


@pytest.mark.parametrize("supported", [True, False])
def test_a_gpu_is_asked(monkeypatch: pytest.MonkeyPatch, supported: bool) -> None:
    def answer(including_emulation: bool = True) -> bool:
        return supported or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", answer)
    chosen = chosen_precision("auto", torch.device("cuda"))
    assert chosen == ("bf16-mixed" if supported else "32")


@pytest.mark.parametrize("precision", ["bf16-mixed", "32"])
def test_what_is_asked_for_is_used(tmp_path: Path, precision: str) -> None:
    assert chosen_precision(precision, CPU, tmp_path) == precision


def test_a_device_says_what_it_computes_in() -> None:
    assert OneDevice("cpu", "auto").precision == chosen_precision("auto", CPU)
