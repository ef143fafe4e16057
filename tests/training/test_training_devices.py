from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from edge_vc.training.devices import AcceleratorError, DeviceSettings, OneDevice, open_devices


def distilled(folder: Path, processes: int, steps: int = 6) -> list[dict[str, float]]:
    """Train a student in processes of their own; return the log."""
    script = Path(__file__).with_name("student_process.py")
    command = [sys.executable, str(script), str(folder), str(processes), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_one_device_needs_no_fabric(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", None)
    devices = open_devices(DeviceSettings("cpu", precision="32"))
    assert (devices.rank, devices.world, devices.device.type) == (0, 1, "cpu")
    assert devices.agree(0.25) == devices.mean(0.25) == 0.25


def test_several_without_fabric_name_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("lightning_fabric", "lightning.fabric"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AcceleratorError, match=r"pip install 'edge-vc\[train\]'"):
        open_devices(DeviceSettings("cpu", devices=2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"accelerator": "tpu"}, "accelerator 'tpu' is not one of auto, cpu, cuda"),
        ({"precision": "16"}, "precision '16' is not one of auto, bf16-mixed, 32"),
        ({"devices": 0}, "0 devices on 1 nodes"),
    ],
)
def test_bad_devices_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(AcceleratorError, match=message):
        DeviceSettings(**settings)  # type: ignore[arg-type]


def test_a_missing_accelerator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(AcceleratorError, match="torch finds none here"):
        open_devices(DeviceSettings("cuda"))


def test_precision_is_what_networks_compute_in() -> None:
    layer = torch.nn.Linear(4, 4)
    for precision, kind in (("bf16-mixed", torch.bfloat16), ("32", torch.float32)):
        with OneDevice("cpu", precision).autocast():
            assert layer(torch.ones(1, 4)).dtype is kind


@pytest.mark.slow
def test_two_processes_distil_as_one_does(tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    one, two = (distilled(tmp_path / str(n), n)[-1]["loss"] for n in (1, 2))
    # Each process normalises its own half by its own statistics.
    assert two == pytest.approx(one, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_a_run_goes_on_with_another_number_of_processes(
    before: int, after: int, tmp_path: Path
) -> None:
    pytest.importorskip("lightning_fabric")
    whole = distilled(tmp_path / "whole", 1)
    distilled(tmp_path / "cut", before, steps=3)
    resumed = distilled(tmp_path / "cut", after)
    assert [row["step"] for row in resumed] == [3, 6]
    # The first three steps had a learning rate for a shorter run.
    assert resumed[-1]["loss"] == pytest.approx(whole[-1]["loss"], rel=0.1)


def test_a_batch_that_does_not_divide_is_refused(tmp_path: Path) -> None:
    from test_training_distill import QUICK, example, student

    from edge_vc.training.student.distiller import Distillation

    devices = OneDevice()
    devices.world = 3
    with pytest.raises(ValueError, match="batch 2 does not divide by 3 processes"):
        Distillation(student(), [example()], QUICK, tmp_path, devices)
