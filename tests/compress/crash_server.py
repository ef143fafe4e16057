"""Forks compress runs that are killed at a crash point: one import of torch for hundreds of runs.

Reads JSON lines ``{"recipe", "run", "until", "point"}`` on stdin, answers ``{"killed", "points"}``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parent.parent))
from crash_points import run_until

import edge_vc_export.bundle.release  # noqa: F401  loaded once, for every child
from edge_vc.compress.recipe import load_recipe
from edge_vc.compress.run import compress


def one_run(recipe: str, run: str, until: str) -> None:
    """Run the stages up to ``until``."""
    torch.set_num_threads(1)
    compress(load_recipe(recipe), run, until=until)


if __name__ == "__main__":
    for line in sys.stdin:
        given = json.loads(line)
        point = given.pop("point")
        ended = run_until(point, lambda given=given: one_run(**given))
        sys.stdout.write(json.dumps(asdict(ended)) + "\n")
        sys.stdout.flush()
