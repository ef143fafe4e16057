"""Time of a training step of a student's trunk in bfloat16 and in single precision.

    python benchmarks/training.py --json benchmarks/results/training.json

Forward and backward pass of 12 segments of 1.68 s, one thread, both number formats alternately in
one process; CPU seconds, so that other programs have little effect. `--precision auto` of
`edge-vc train` chooses by the CPU flags, which are listed in the result.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

from edge_vc.models.student.config import TIERS
from edge_vc.models.student.student import Student
from edge_vc.training.devices import OneDevice

BATCH, FRAMES = 12, 168
FORMATS = ("bf16-mixed", "32")


def step_seconds(student: Student, precision: str) -> float:
    """Return the CPU seconds of one forward and backward pass."""
    features = torch.randn(BATCH, student.config.mels, 1, FRAMES)
    began = time.process_time()
    with OneDevice("cpu", precision).autocast():
        hidden = student.features(features)
    hidden.float().square().mean().backward()
    return time.process_time() - began


def measure(tier: str, rounds: int) -> dict[str, object]:
    """Return medians and spreads over the rounds of both formats and of their ratio."""
    torch.manual_seed(0)
    student = Student(TIERS[tier]).train()
    for precision in FORMATS:
        step_seconds(student, precision)  # the first run selects kernels
    rows = [[step_seconds(student, precision) for precision in FORMATS] for _ in range(rounds)]
    half, single = (sorted(row[n] for row in rows) for n in range(2))
    ratios = sorted(row[0] / row[1] for row in rows)
    return {
        "weights": student.trunk_parameters(),
        **{
            f"{name}_s": _spread(values)
            for name, values in zip(FORMATS, (half, single), strict=True)
        },
        "ratio": _spread(ratios),
    }


def _spread(values: list[float]) -> dict[str, float]:
    found = {"median": statistics.median(values), "lowest": values[0], "highest": values[-1]}
    return {name: round(value, 4) for name, value in found.items()}


def main() -> None:
    """Measure, print and write; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tiers", nargs="*", default=["base", "clear"], choices=sorted(TIERS))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    found = {
        "environment": "host",
        "torch": torch.__version__,
        "chosen": OneDevice("cpu", "auto").precision,
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "tiers": {tier: measure(tier, args.rounds) for tier in args.tiers},
    }
    text = json.dumps(found, indent=1)
    sys.stdout.write(f"{text}\n")
    if args.json:
        args.json.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
