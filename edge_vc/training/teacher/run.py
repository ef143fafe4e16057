"""One session of training the default teacher: data, settings, training, weights."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_vc.data.pair_set import PairSet
from edge_vc.models.teacher.file import load_teacher, one_voice, save_teacher
from edge_vc.models.weights_file import weights_hash
from edge_vc.settings.field import RecipeError, section_from_table
from edge_vc.training.denormals import flushed_denormals
from edge_vc.training.devices import (
    Devices,
    DeviceSettings,
    open_devices,
)
from edge_vc.training.schedule import Budget, TrainingSession
from edge_vc.training.teacher.dataset import Pack
from edge_vc.training.teacher.dataset_pack import read_pack
from edge_vc.training.teacher.settings import TeacherSettings, load_settings
from edge_vc.training.teacher.sources import corpus_pack, noises_of, voices_of
from edge_vc.training.teacher.trainer import TeacherTraining
from edge_vc.training.teacher.units import with_units
from edge_vc_runtime.files.writing import write_whole


@dataclass(frozen=True)
class TeacherRun:
    """What `edge-vc train teacher` was asked to do."""

    out: Path
    """Run folder; a run that is in it resumes."""
    corpus: Path | None = None
    """Folder with metadata.csv; this or ``pack``."""
    pack: Path | None = None
    """Folder that `edge-vc train pack` has written."""
    target: str = "kathleen"
    recipe: str = "cpu"
    changes: tuple[str, ...] = ()
    """``KEY=VALUE`` each, over the recipe."""
    start: Path | None = None
    """Weights that a new run begins with."""
    variants: int = 2
    """WORLD copies per recording."""
    steps: int | None = None
    minutes: float | None = None
    """Wall-clock budget of the whole run."""
    max_minutes: float | None = None
    """Of this session; the next one resumes."""
    save_minutes: float = 3.0
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: str = "auto"
    threads: int = 1


def chosen_settings(recipe: str, changes: Sequence[str]) -> TeacherSettings:
    """Return a recipe's settings with ``KEY=VALUE`` changes; `RecipeError` for bad ones."""
    settings = load_settings(recipe)
    for change in changes:
        try:
            table = tomllib.loads(change)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise RecipeError(f"--set {change}: not KEY=VALUE as TOML has it: {error}") from error
        settings = section_from_table(TeacherSettings, table, base=settings)
    return settings


def data_hash(pairs: Sequence[PairSet]) -> str:
    """Return the SHA-256 over all that is trained on, in order."""
    digest = hashlib.sha256()
    for pair in pairs:
        if not pair.held_out:
            listened = () if pair.phones is None else (pair.phones,)
            for array in (pair.f0, pair.target, pair.inputs, *listened):
                digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def place_of(devices: Devices) -> dict[str, Any]:
    """Return what the weights say of the machine that they were trained on."""
    cuda = devices.device.type == "cuda"
    name = torch.cuda.get_device_name(devices.device) if cuda else platform.machine()
    return {"accelerator": devices.device.type, "device": name, "processes": devices.world}


@flushed_denormals()
def train_teacher(args: TeacherRun) -> Path | None:
    """Train one session, save what there is and return the weights; None where another saves.

    Raises `ValueError`, one line, for input that cannot be used.
    """
    settings = chosen_settings(args.recipe, args.changes)
    budget = Budget(args.steps, args.minutes)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    pack = _data(args, phones=settings.losses.phones > 0)
    voices = voices_of(pack, args.target)
    devices = open_devices(
        DeviceSettings(args.accelerator, args.devices, args.nodes, args.precision)
    )
    noises = noises_of(pack, args.target, devices.device)
    start = load_teacher(args.start) if args.start else None
    training = TeacherTraining(settings, pack.pairs, voices, noises, args.out, devices, start)
    finished = training.run(TrainingSession(budget, args.max_minutes, args.save_minutes))
    weights = args.out / "teacher.safetensors"
    if devices.rank == 0:
        facts = {
            "settings": asdict(training.settings),
            "budget": asdict(budget),
            "precision": devices.precision,
            "start_sha256": weights_hash(args.start) if args.start else None,
            "data_sha256": data_hash(pack.pairs),
            "voices": len(voices),
            "steps": training.step,
            "finished": finished,
        } | place_of(devices)
        # How long it took stays out of the weights: the same training is the same bytes.
        timed = facts | {"minutes": round(training.watch.seconds / 60, 1)}
        write_whole(args.out / "run.json", json.dumps(timed, indent=1))
        kept = one_voice(training.networks.average.network)
        if finished and settings.units:
            own = [p.target for p in pack.pairs if p.speaker == args.target and not p.held_out]
            kept = with_units(kept, own, settings.units, settings.seed)
        save_teacher(kept, weights, {"run": json.dumps(facts)})
        state = "finished" if finished else "not finished: run the same command again"
        sys.stderr.write(f"step {training.step}, {state}\n")
    return weights if devices.rank == 0 else None


def _data(args: TeacherRun, *, phones: bool) -> Pack:
    workers = max(1, os.cpu_count() or 1)
    if args.pack:
        return read_pack(args.pack, workers)
    if args.corpus is None:
        raise RecipeError("nothing to train on: give --corpus or --pack")
    return corpus_pack(args.corpus, args.out / "pairs", args.variants, workers, phones=phones)
