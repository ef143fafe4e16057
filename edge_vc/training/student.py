"""Train a student from scratch: `python -m edge_vc.training.student --corpus DIR --out DIR`."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress, track

from edge_vc.compress.lookahead import with_lookahead
from edge_vc.compress.student_file import load_student, save_student
from edge_vc.data.corpus import Corpus, Utterance
from edge_vc.data.labels import LabelledAudio, label_corpus
from edge_vc.models.student import Student
from edge_vc.models.student_config import TIERS
from edge_vc.teachers.default import DEFAULT_WEIGHTS, DefaultTeacher, weights_hash
from edge_vc.training.devices import add_device_arguments, device_settings, open_devices
from edge_vc.training.distill import Distillation, DistillSettings
from edge_vc.training.distill_data import set_prior
from edge_vc.training.pitch import train_pitch
from edge_vc.training.schedule import Budget

SOURCE_SPEEDS = ((1.0, 0.87), (1.0, 1.15))
"""Every source twice: as recorded, and in turn as a larger or as a smaller person."""
TARGET_SPEEDS = (0.8, 0.9, 1.12, 1.25)
"""The target's own sentences once each, never as recorded: she is not her own source."""


PITCH_STEPS = 2000
"""Of the pitch alone, before everything is trained together."""


def label_all(
    corpus: Path,
    cache: Path,
    teacher: DefaultTeacher,
    teacher_hash: str,
    progress: Callable[[Iterable[Path], int], Iterable[Path]] | None = None,
) -> list[LabelledAudio]:
    """Let the teacher convert the sources and the target's own sentences of ``corpus``."""
    opened = Corpus.open(corpus)

    def label(chosen: Sequence[Utterance], speeds: Sequence[float]) -> list[LabelledAudio]:
        return label_corpus(
            teacher, chosen, cache, teacher_hash=teacher_hash, speeds=speeds, progress=progress
        )

    examples = []
    sources, own = list(opened.select("source")), list(opened.select("target"))
    for index, speeds in enumerate(SOURCE_SPEEDS):
        examples += label(sources[index :: len(SOURCE_SPEEDS)], speeds)
    for index, speed in enumerate(TARGET_SPEEDS):
        examples += label(own[index :: len(TARGET_SPEEDS)], (speed,))
    return examples


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with metadata.csv")
    parser.add_argument("--out", type=Path, required=True, help="run folder; resumes")
    parser.add_argument("--labels", type=Path, help="cache of labels (default: OUT/labels)")
    parser.add_argument("--teacher", type=Path, default=DEFAULT_WEIGHTS)
    parser.add_argument("--tier", choices=TIERS, default="wide")
    parser.add_argument("--start", type=Path, help="a student of that tier to go on from")
    parser.add_argument("--lookahead", type=int, default=0, help="hops to wait for, 10 ms each")
    parser.add_argument("--head", choices=("source-filter", "istft"), default="source-filter")
    parser.add_argument("--minutes", type=float, help="wall-clock budget")
    parser.add_argument("--steps", type=int, help="or a number of steps")
    parser.add_argument("--adversarial", type=float, default=0.0, help="weight of that term")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="CPU threads")
    add_device_arguments(parser)
    return parser.parse_args()


def main() -> None:
    """Parse the command line, label, train and save ``student.safetensors``."""
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    teacher = DefaultTeacher.load(args.teacher)
    teacher_hash = weights_hash(args.teacher)

    def labelling(done: Iterable[Path], total: int) -> Iterator[Path]:
        return iter(track(done, "label", total))

    cache = args.labels or args.out / "labels"
    examples = label_all(args.corpus, cache, teacher, teacher_hash, labelling)
    config = replace(
        TIERS[args.tier],
        head=args.head,
        target_f0_hz=round(float(np.exp(teacher.config.target_log_f0)), 1),
    )
    settings = DistillSettings(
        Budget(args.steps, args.minutes), adversarial=args.adversarial, seed=args.seed
    )
    config = replace(config, lookahead=args.lookahead)
    facts = {
        "tier": args.tier,
        "config": config.to_dict(),
        "settings": asdict(settings),
        "teacher_sha256": teacher_hash,
        "corpus_sha256": Corpus.open(args.corpus).content_hash(),
    }
    devices = open_devices(device_settings(args))
    (args.out / "run.json").write_text(json.dumps(facts, indent=1))
    torch.manual_seed(args.seed)
    student = Student(replace(config, lookahead=0))
    if args.start:
        # Its configuration may differ in how features are cut off, not in sizes.
        student.load_state_dict(load_student(args.start).state_dict())
    if args.lookahead:
        student = with_lookahead(student, args.lookahead)
    set_prior(student, examples[:: max(1, len(examples) // 200)])
    training = Distillation(student, examples, settings, args.out, devices)
    with Progress(disable=devices.rank > 0) as bar:
        task = bar.add_task(f"{args.tier} student", total=1.0)

        def report(done: float, figures: dict[str, float]) -> None:
            text = f"{args.tier} student, step {training.step}, loss {figures['loss']:.3f}"
            bar.update(task, completed=done, description=text)

        alone = bar.add_task("pitch", total=PITCH_STEPS)
        if training.step == 0:
            train_pitch(
                student,
                training.batches,
                PITCH_STEPS,
                seed=args.seed,
                report=lambda step, loss: bar.update(
                    alone, completed=step, description=f"pitch, error {loss:.3f}"
                ),
            )
        trained = training.run(report)
    facts["steps"] = training.step
    if devices.rank == 0:
        said = {"run": json.dumps(facts)}
        save_student(trained, args.out / "student.safetensors", said, half=True)


if __name__ == "__main__":
    main()
