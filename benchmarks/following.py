"""How closely a small student can match its teacher, and where it loses intelligibility.

    python benchmarks/following.py train --start wide.safetensors \\
        --labels shipped=labels/shipped --labels mine=labels/mine --out build/following
    python benchmarks/following.py parts --student student.safetensors --labels labels/eval \\
        --out build/parts
    python benchmarks/following.py gap --student mine=student.safetensors --learnt labels/mine \\
        --unseen labels/eval
    edge-vc evaluate shipped=build/following/shipped.safetensors ... --corpus corpus/eval

``train`` trains the same student on each folder of labels (`edge-vc label`) for a few steps and,
without ``--sound``, with no audio losses: filters, F0, voicing and contents only. The runs differ
in nothing but the labels. ``parts`` takes labels of an evaluation's sentences and synthesises each
four times with the student's head: filters and F0 of the teacher or of the student. Both finish by
printing the command that scores their output. ``gap`` prints the share of the phones recognised in
a recording that are not recognised in the student's output, for recordings of the training set and
for unseen ones. Nothing is timed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.audio.io import Samples
from edge_vc.data.file_name import file_name
from edge_vc.evaluate.metrics.metric import Counts
from edge_vc.evaluate.metrics.phones import PhoneRecognizer, compare
from edge_vc.labelling.folder import LABELS
from edge_vc.labelling.labels import LabelledAudio, load_labels
from edge_vc.labelling.report import load_report
from edge_vc.models.student.file import load_student, save_student
from edge_vc.models.student.student import Prediction, Student
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.inputs.noise import NoiseAugmentation, NoiseSettings
from edge_vc.training.student.settings import distill_settings
from edge_vc.training.student.targets import targets_for

PARTS = ("both", "filters", "f0", "none")
"""Parts that come from the student; the others come from the teacher."""
LONGEST_S = 10
"""Seconds of a recording that ``gap`` uses at most."""
RATE = 16_000


def labelled(folder: Path, roles: list[str], speeds: list[float]) -> Iterator[tuple[str, Path]]:
    """Yield name and file of labelled recordings of these roles and speeds; empty lists: all."""
    for row in load_report(folder).kept:
        wanted = not roles or row.utterance.role in roles
        if wanted and (not speeds or row.speed in speeds):
            name = file_name(f"{row.utterance.speaker}_{row.utterance.utt_id}")
            yield name, folder / LABELS / f"{row.outcome.key}.npz"


def train(args: argparse.Namespace) -> None:
    """Train the student on each folder of labels in turn; see the module."""
    settings = distill_settings()(
        steps=args.steps,
        contents=args.contents,
        words=args.words,
        contents_first=0.0 if args.words or args.sound else 1.0,
        adversarial=0.0,
    )
    for given in args.labels:
        name, _, folder = given.partition("=")
        files = labelled(Path(folder), args.roles, args.speeds)
        examples = [load_labels(path) for _, path in files]
        noises = NoiseSettings(share=args.noise, folder=args.noises)
        augmentations = [NoiseAugmentation(noises, examples)] if args.noise else []
        training = Distillation(
            load_student(args.start),
            examples,
            settings,
            args.out / name,
            augmentations=augmentations,
        )
        trained = training.run(progress)
        path = save_student(trained.eval(), args.out / f"{name}.safetensors")
        print(f"{path}: {len(examples)} recordings")
    print("next: edge-vc evaluate NAME=FILE ... --corpus DIR")


def progress(share: float, figures: dict[str, float]) -> None:
    """Show the progress of a training run."""
    sys.stderr.write(f"\r{share:.0%} ")


def parts(args: argparse.Namespace) -> None:
    """Synthesise the sentences from parts of student and teacher; see the module."""
    student = load_student(args.student)
    files = list(labelled(args.labels, [], []))
    for number, (name, path) in enumerate(files):
        for part, audio in sounded(student, load_labels(path).at_hop(student.config.hop)).items():
            folder = args.out / part
            folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / f"{name}.wav", audio, student.config.sample_rate)
        sys.stderr.write(f"\r{number + 1}/{len(files)} ")
    folders = " ".join(f"{part}={args.out / part}" for part in PARTS)
    print(f"next: edge-vc evaluate {folders} --corpus DIR")


@torch.no_grad()
def sounded(student: Student, example: LabelledAudio) -> dict[str, Samples]:
    """Return the sentence ``[T]`` for each of `PARTS`, which is taken from the student."""
    f0, voiced, bands = targets_for(student, example)
    if bands is None:
        raise SystemExit("these labels have no filters; label with a teacher of this project's")
    mine = _predicted(student, example)
    theirs = replace(mine, bands=torch.from_numpy(bands.astype(np.float32))[None])
    source = _frames(f0), _frames(voiced)
    made = {
        "both": student.synthesize(mine),
        "filters": student.synthesize(mine, *source),
        "f0": student.synthesize(theirs),
        "none": student.synthesize(theirs, *source),
    }
    return {part: audio[0, 0, 0].numpy() for part, audio in made.items()}


def gap(args: argparse.Namespace) -> None:
    """Print the share of phones not recognised, for both groups; see the module."""
    recogniser = PhoneRecognizer()
    students = {
        name: load_student(Path(path)).eval()
        for name, _, path in (given.partition("=") for given in args.student)
    }
    print("| recordings | of | " + " | ".join(["teacher", *students]) + " |")
    print("|---|---|" + "---|" * (1 + len(students)))
    for title, folder in (("learnt", args.learnt), ("unseen", args.unseen)):
        files = [path for _, path in labelled(folder, args.roles, args.speeds)]
        chosen = random.Random(args.seed).sample(files, min(args.count, len(files)))
        rows = [_unheard(recogniser, students, load_labels(path)) for path in chosen]
        figures = " | ".join(f"{_share(column):.3f}" for column in zip(*rows, strict=True))
        print(f"| {title} | {len(chosen)} | {figures} |")


def _share(counts: Sequence[Counts]) -> float:
    return sum(each.errors for each in counts) / max(1, sum(each.total for each in counts))


@torch.no_grad()
def _unheard(
    recogniser: PhoneRecognizer, students: dict[str, Student], example: LabelledAudio
) -> list[Counts]:
    source, target = _start(example.source), _start(example.target)
    said = recogniser.recognise(source, RATE)
    sounds: list[Samples] = [target, *(_converted(each, source) for each in students.values())]
    return [compare(said, recogniser.recognise(s, RATE)).counts for s in sounds]


def _start(sound: NDArray[np.int16]) -> Samples:
    return np.divide(sound[: LONGEST_S * RATE], 32767, dtype=np.float32)


def _converted(student: Student, source: Samples) -> Samples:
    hop = student.config.hop
    padded = np.pad(source, (0, student.delay + -(len(source) + student.delay) % hop))
    audio, _ = student.step(torch.from_numpy(padded)[None, None, None], student.init_state(1))
    converted: Samples = audio[0, 0, 0].numpy()[student.delay :][: len(source)]
    return converted


def _predicted(student: Student, example: LabelledAudio) -> Prediction:
    """Return the student's prediction, aligned with the labels."""
    hop, wait, frames = student.config.hop, student.config.lookahead, len(example.f0)
    audio = torch.from_numpy(example.source.astype(np.float32) / 32767)[None, None, None]
    late = student.predict(torch.nn.functional.pad(audio, (0, wait * hop)))
    if late.log_f0 is None or late.voicing is None:
        raise SystemExit("this student has no source and filters: nothing to take apart")
    return replace(
        late,
        features=late.features[..., wait : wait + frames],
        bands=late.bands[..., wait : wait + frames],
        log_f0=late.log_f0[..., wait : wait + frames],
        voicing=late.voicing[..., wait : wait + frames],
    )


def _frames(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(values)[None, None, None]


def main() -> None:
    """Run the requested command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(required=True)
    training = verbs.add_parser("train", help="one student from each folder of labels")
    training.set_defaults(run=train)
    training.add_argument("--start", type=Path, required=True, help="initial student")
    training.add_argument("--labels", action="append", required=True, metavar="NAME=DIR")
    training.add_argument("--roles", nargs="*", default=["source"])
    training.add_argument("--speeds", nargs="*", type=float, default=[1.0])
    training.add_argument("--steps", type=int, default=1000)
    training.add_argument("--contents", type=float, default=1.0, help="weight of the contents")
    training.add_argument("--sound", action="store_true", help="use audio losses as well")
    training.add_argument("--words", type=float, default=0.0, help="word loss's weight; uses audio")
    training.add_argument("--noise", type=float, default=0.0, help="share of noisy segments")
    training.add_argument("--noises", default="", help="folder with noise/ and rir/")
    training.add_argument("--out", type=Path, default=Path("build/following"))
    taking = verbs.add_parser("parts", help="filters and F0 of student or teacher")
    taking.set_defaults(run=parts)
    taking.add_argument("--student", type=Path, required=True)
    taking.add_argument("--labels", type=Path, required=True, help="labels of the evaluation set")
    taking.add_argument("--out", type=Path, default=Path("build/parts"))
    listening = verbs.add_parser("gap", help="phones lost, in training and unseen recordings")
    listening.set_defaults(run=gap)
    listening.add_argument("--student", action="append", required=True, metavar="NAME=FILE")
    listening.add_argument("--learnt", type=Path, required=True, help="labels of the training")
    listening.add_argument("--unseen", type=Path, required=True, help="labels of other speakers")
    listening.add_argument("--roles", nargs="*", default=[])
    listening.add_argument("--speeds", nargs="*", type=float, default=[1.0])
    listening.add_argument("--count", type=int, default=24, help="recordings of each")
    listening.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.run(args)


if __name__ == "__main__":
    main()
