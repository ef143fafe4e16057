from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from speech_toys import pairs

from edge_vc.training.devices import AcceleratorError, DeviceSettings, OneDevice, open_devices
from edge_vc.training.teacher.dataset import Pack
from edge_vc.training.teacher.dataset_pack import write_pack

SMALL = (
    *("network.channels=16", "network.bottleneck=8", "network.encoder_blocks=1"),
    *("network.decoder_blocks=1", "frames=32", "own=4", "others=2", "unpaired=2"),
    *("inputs.mean_frames=32", "losses.adversarial_frames=16", "losses.adversarial_from=0.5"),
    *("losses.consistency=0.1", "discriminators.periods=[2]"),
    *("units=0", "retrieve_from=0"),
)


def train(folder: Path, pack: Path, steps: int, processes: int) -> list[dict[str, float]]:
    """Train in processes of their own; return the log."""
    command = [sys.executable, "-m", "edge_vc", "train", "teacher", "--pack", str(pack)]
    command += ["--out", str(folder), "--target", "me", "--steps", str(steps), "--threads", "1"]
    command += ["--accelerator", "cpu", "--precision", "32", "--devices", str(processes)]
    command += ["--save-minutes", "0"]
    for change in SMALL:
        command += ["--set", change]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "run.json").read_text())["processes"] == processes
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    write_pack(Pack(tuple(pairs()), (), ()), folder, "me")
    return folder


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(pack: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    alone = train(tmp_path / "one", pack, 6, 1)
    together = train(tmp_path / "two", pack, 6, 2)
    assert [row["step"] for row in together] == [row["step"] for row in alone]
    for one, two in zip(alone, together, strict=True):
        # What is relative to the batch (matching) makes up the rest.
        assert two["spectral"] == pytest.approx(one["spectral"], rel=5e-3)
        assert two["loss"] == pytest.approx(one["loss"], rel=2e-2)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_a_run_goes_on_with_another_number_of_processes(
    before: int, after: int, pack: Path, tmp_path: Path
) -> None:
    pytest.importorskip("lightning_fabric")
    whole = train(tmp_path / "whole", pack, 6, 1)
    train(tmp_path / "cut", pack, 3, before)
    resumed = train(tmp_path / "cut", pack, 6, after)
    assert [row["step"] for row in resumed] == [1, 2, 3, 4, 5, 6]
    # The first three steps had a learning rate for a shorter run.
    assert resumed[-1]["spectral"] == pytest.approx(whole[-1]["spectral"], rel=0.1)


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
    losses = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        script = Path(__file__).with_name("student_process.py")
        command = [sys.executable, str(script), str(folder), str(processes)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        losses.append(json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["loss"])
    # Each process normalises its own half by its own statistics.
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_a_batch_that_does_not_divide_is_refused(tmp_path: Path) -> None:
    from test_training_distill import QUICK, example, student

    from edge_vc.training.student.distiller import Distillation

    devices = OneDevice()
    devices.world = 3
    with pytest.raises(ValueError, match="batch 2 does not divide by 3 processes"):
        Distillation(student(), [example()], QUICK, tmp_path, devices)
