"""Distils a tiny student in several processes: `student_process.py DIR PROCESSES STEPS`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch
from test_training_distill import QUICK, example, student

from edge_vc.training.devices import DeviceSettings, open_devices
from edge_vc.training.student.distiller import Distillation

if __name__ == "__main__":
    torch.set_num_threads(1)
    settings = DeviceSettings("cpu", devices=int(sys.argv[2]), precision="32")
    devices = open_devices(settings)
    examples = [example(seed=seed) for seed in (1, 2)]
    quick = replace(QUICK, steps=int(sys.argv[3]))
    Distillation(student(), examples, quick, Path(sys.argv[1]), devices).run()
