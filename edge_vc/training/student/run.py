"""Training a student from scratch: labels, a new student, distillation, weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress as Bars

from edge_vc.audio.io import Samples
from edge_vc.command_line.steps import Steps, stderr_console
from edge_vc.data.corpus import Corpus
from edge_vc.models.student.config import TIERS
from edge_vc.models.student.file import load_student, save_student
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.fixed_phase import with_fixed_phase
from edge_vc.models.student.transforms.hop import with_hop
from edge_vc.models.student.transforms.lookahead import with_lookahead
from edge_vc.models.weights_file import weights_hash
from edge_vc.teachers.weights import DEFAULT_WEIGHTS, open_weights
from edge_vc.training.denormals import flushed_denormals
from edge_vc.training.devices import DeviceSettings, open_devices
from edge_vc.training.schedule import Budget
from edge_vc.training.student.batches import set_prior
from edge_vc.training.student.corpus_labels import label_all
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.pitch import train_pitch
from edge_vc.training.student.settings import DistillSettings, distill_settings
from edge_vc_runtime.files.writing import write_whole

PITCH_STEPS = 2000
"""Steps on the pitch predictor alone, before everything is trained together."""


@dataclass(frozen=True)
class StudentRun:
    """Arguments of `edge-vc train student`."""

    corpus: Path
    """Folder with metadata.csv."""
    out: Path
    """Run folder; a run already in it is resumed."""
    labels: Path | None = None
    """Cache of labels; ``out/labels`` if not given."""
    teacher: Path = DEFAULT_WEIGHTS
    tier: str = "wide"
    start: Path | None = None
    """A student of that tier to start from."""
    lookahead: int = 0
    """Hops of look-ahead."""
    head: Literal["source-filter", "istft"] = "source-filter"
    minutes: float | None = None
    """Wall-clock budget."""
    steps: int | None = None
    adversarial: float = 0.0
    """Weight of the adversarial loss."""
    seed: int = 0
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: str = "auto"
    threads: int = 1
    hop_ms: float = 10.0
    """Duration of the student's hop."""
    sample_rate: int = 16_000
    """Rate of the student and its labels, Hz."""


def new_student(args: StudentRun, target_f0_hz: float) -> Student:
    """Return the student to train; raises `ValueError` if ``--start`` has other sizes.

    Weights for another hop are converted to ``--hop-ms``; another sample rate is refused.
    """
    config = TIERS[args.tier].at(args.hop_ms, args.sample_rate)
    config = replace(config, head=args.head, target_f0_hz=target_f0_hz)
    torch.manual_seed(args.seed)
    student = Student(config)
    if args.start:
        # Its configuration may differ in the floor of its features, not in sizes.
        start = load_student(args.start)
        if start.config.sample_rate != args.sample_rate:
            raise ValueError(
                f"{args.start}: is for {start.config.sample_rate} Hz, not --sample-rate "
                f"{args.sample_rate}; leave --start out to begin with random weights"
            )
        if start.config.head == "source-filter" and start.config.phase != config.phase:
            start = with_fixed_phase(start, _some(args.corpus, start.config.sample_rate))
        start = with_hop(start, args.hop_ms)
        try:
            student.load_state_dict(start.state_dict())
        except RuntimeError as error:
            raise ValueError(f"{args.start}: no {args.tier} student without look-ahead") from error
    return with_lookahead(student, args.lookahead) if args.lookahead else student


def _some(corpus: Path, rate: int) -> Iterator[Samples]:
    """Yield a few sentences of different speakers at ``rate`` Hz."""
    sources = list(Corpus.open(corpus).select("source"))
    for utterance in sources[:: max(1, len(sources) // 20)]:
        yield utterance.read(rate)


def facts_of(args: StudentRun, student: Student, teacher_hash: str) -> dict[str, Any]:
    """Return the provenance that is stored with the weights."""
    return {
        "tier": args.tier,
        "config": student.config.to_dict(),
        "settings": asdict(settings_of(args)),
        "budget": asdict(Budget(args.steps, args.minutes)),
        "start_sha256": weights_hash(args.start) if args.start else None,
        "teacher_sha256": teacher_hash,
        "corpus_sha256": Corpus.open(args.corpus).content_hash(),
    }


def settings_of(args: StudentRun) -> DistillSettings:
    """Return the distillation settings for the command line's arguments."""
    return replace(distill_settings()(), adversarial=args.adversarial, seed=args.seed)


@flushed_denormals()
def train_student(args: StudentRun) -> Path | None:
    """Label, train, save ``student.safetensors`` and return its path.

    Only one of several processes saves; the others return None. Raises `ValueError` with a one-line
    message for unusable input.
    """
    console = stderr_console()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        teacher = open_weights(args.teacher)
    except ValueError as error:
        raise ValueError(f"{args.teacher}: {error}") from error
    student = new_student(args, round(float(np.exp(teacher.config.target_log_f0)), 1))
    facts = facts_of(args, student, weights_hash(args.teacher))

    cache = args.labels or args.out / "labels"
    with Steps(console, "recordings") as steps:
        examples = label_all(
            args.corpus, cache, args.teacher, steps.track, sample_rate=args.sample_rate
        )
    devices = open_devices(
        DeviceSettings(args.accelerator, args.devices, args.nodes, args.precision)
    )
    write_whole(args.out / "run.json", json.dumps(facts, indent=1))
    set_prior(student, examples[:: max(1, len(examples) // 200)])
    budget = Budget(args.steps, args.minutes)
    training = Distillation(student, examples, settings_of(args), args.out, devices, budget)
    trained = _train(training, args.tier, console)
    facts["steps"] = training.step
    weights = args.out / "student.safetensors"
    if devices.rank == 0:
        said = {"run": json.dumps(facts)}
        save_student(trained, weights, said, half=True)
    return weights if devices.rank == 0 else None


def _train(training: Distillation, tier: str, console: Console) -> Student:
    """Train the pitch predictor alone, then everything, with a bar for each on a terminal."""
    shown = console.is_terminal and training.devices.rank == 0
    with Bars(console=console, transient=True, disable=not shown) as bar:
        task = bar.add_task(f"{tier} student", total=1.0)
        alone = bar.add_task("pitch", total=PITCH_STEPS)

        def report(done: float, figures: dict[str, float]) -> None:
            text = f"{tier} student, step {training.step}, loss {figures['loss']:.3f}"
            bar.update(task, completed=done, description=text)

        if not training.checkpoint.path.exists():  # a resumed run has its pitch predictor
            train_pitch(
                training.student,
                training.batches,
                PITCH_STEPS,
                seed=training.settings.seed,
                report=lambda step, loss: bar.update(
                    alone, completed=step, description=f"pitch, error {loss:.3f}"
                ),
            )
        return training.run(report)
