"""Train the default teacher: `python -m edge_vc.training.teacher.cli --corpus DIR --out DIR`.

Re-run the command to resume.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_vc.data.corpus import CorpusError
from edge_vc.data.pair_set import PairSet
from edge_vc.models.teacher.file import load_teacher, one_voice, save_teacher
from edge_vc.settings.field import RecipeError, section_from_table
from edge_vc.teachers.default import weights_hash
from edge_vc.training.devices import (
    DeviceError,
    Devices,
    add_device_arguments,
    device_settings,
    open_devices,
)
from edge_vc.training.schedule import Budget
from edge_vc.training.teacher.dataset import Pack
from edge_vc.training.teacher.dataset_pack import PackError, read_pack
from edge_vc.training.teacher.settings import TeacherSettings, load_settings
from edge_vc.training.teacher.sources import corpus_pack, noises_of, voices_of
from edge_vc.training.teacher.trainer import TeacherTraining, TrainingSession
from edge_vc.training.teacher.units import with_units

EXAMPLES = """examples:
  python -m edge_vc.training.teacher.cli --corpus CORPUS --out build/teacher --minutes 120
      two cores, from recordings
  python -m edge_vc.training.teacher.cli --recipe gpu --pack build/pack --out build/teacher \\
      --minutes 20 --max-minutes 8
      one GPU, from a pack, in sessions of eight minutes: run it until it says it is finished
  python -m edge_vc.training.teacher.cli ... --devices 4 --nodes 2 --set losses.adversarial=0
      eight processes; any setting of the recipe by its name
"""


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="edge_vc.training.teacher.cli",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--corpus", type=Path, help="folder with metadata.csv")
    data.add_argument(
        "--pack", type=Path, help="folder that edge_vc.training.teacher.dataset_pack has written"
    )
    parser.add_argument("--out", type=Path, required=True, help="run folder; resumes")
    parser.add_argument("--target", default="kathleen", help="speaker to convert into")
    parser.add_argument("--recipe", default="cpu", help="cpu, gpu or a TOML file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    parser.add_argument("--start", type=Path, help="weights that a new run begins with")
    parser.add_argument("--variants", type=int, default=2, help="WORLD copies per recording")
    parser.add_argument("--minutes", type=float, help="wall-clock budget of the whole run")
    parser.add_argument("--steps", type=int, help="or a number of steps")
    parser.add_argument("--max-minutes", type=float, help="stop this session after so long")
    parser.add_argument("--save-minutes", type=float, default=3.0, help="between checkpoints")
    add_device_arguments(parser)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="CPU threads")
    return parser.parse_args(argv)


def chosen_settings(recipe: str, changes: Sequence[str]) -> TeacherSettings:
    """Return a recipe's settings with ``KEY=VALUE`` changes; `RecipeError` for bad ones."""
    settings = load_settings(recipe)
    for change in changes:
        try:
            table = tomllib.loads(change)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"--set {change}: not KEY=VALUE as TOML has it: {error}") from error
        settings = section_from_table(TeacherSettings, table, base=settings)
    return settings


def data_hash(pairs: Sequence[PairSet]) -> str:
    """Return the SHA-256 over all that is trained on, in order."""
    digest = hashlib.sha256()
    for pair in pairs:
        if not pair.held:
            listened = () if pair.phones is None else (pair.phones,)
            for array in (pair.f0, pair.target, pair.inputs, *listened):
                digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def place_of(devices: Devices) -> dict[str, Any]:
    """Return what the weights say of the machine that they were trained on."""
    cuda = devices.device.type == "cuda"
    name = torch.cuda.get_device_name(devices.device) if cuda else platform.machine()
    return {"accelerator": devices.device.type, "device": name, "processes": devices.world}


def main(argv: Sequence[str] | None = None) -> int:
    """Train one session and save; return the exit code."""
    args = parse_arguments(argv)
    try:
        return _train(args)
    except (RecipeError, DeviceError, CorpusError, PackError, ValueError) as error:
        sys.stderr.write(f"teacher: {error}\n")
        return 2


def _train(args: argparse.Namespace) -> int:
    settings = chosen_settings(args.recipe, args.changes)
    budget = Budget(args.steps, args.minutes)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    pack = _data(args, phones=settings.losses.phones > 0)
    voices = voices_of(pack, args.target)
    devices = open_devices(device_settings(args))
    noises = noises_of(pack, args.target, devices.device)
    start = load_teacher(args.start) if args.start else None
    training = TeacherTraining(settings, pack.pairs, voices, noises, args.out, devices, start)
    finished = training.run(TrainingSession(budget, args.max_minutes, args.save_minutes))
    if devices.rank == 0:
        facts = {
            "settings": asdict(training.settings),
            "budget": asdict(budget),
            "precision": args.precision,
            "start_sha256": weights_hash(args.start) if args.start else None,
            "data_sha256": data_hash(pack.pairs),
            "voices": len(voices),
            "steps": training.step,
            "minutes": round(training.watch.seconds / 60, 1),
            "finished": finished,
        } | place_of(devices)
        (args.out / "run.json").write_text(json.dumps(facts, indent=1))
        kept = one_voice(training.networks.average.network)
        if finished and settings.units:
            own = [p.target for p in pack.pairs if p.speaker == args.target and not p.held]
            kept = with_units(kept, own, settings.units, settings.seed)
        save_teacher(kept, args.out / "teacher.safetensors", {"run": json.dumps(facts)})
        state = "finished" if finished else "not finished: run the same command again"
        sys.stderr.write(f"teacher: step {training.step}, {state}\n")
    return 0


def _data(args: argparse.Namespace, *, phones: bool) -> Pack:
    workers = max(1, os.cpu_count() or 1)
    if args.pack:
        return read_pack(args.pack, workers)
    return corpus_pack(args.corpus, args.out / "pairs", args.variants, workers, phones=phones)


if __name__ == "__main__":
    sys.exit(main())
