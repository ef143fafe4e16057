"""Does a stream of script phones help in noise? Two students at 0 dB SNR, with and without it.

    edge-vc label corpus/train --teacher my-voice -o labels
    python benchmarks/script_phones.py --labels labels --eval corpus/eval --out build/phones \\
        --json benchmarks/results/script_phones.json

Both students are trained from the same random weights on the same noisy recordings (white noise and
babble of other recordings, -3 to 6 dB SNR, drawn per recording); the target is the teacher's output
for the clean recording. One also gets the phone being spoken (PocketSphinx on the clean recording:
recognised, or aligned to the text of the evaluation set), one-hot with every hop. The unseen
speakers' sentences are then converted with white noise at 0 dB SNR, and `edge-vc evaluate` measures
the word error rate of both. Alignment and training resume. Float, in PyTorch, whole sentences at
once; not timed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import torch

from edge_vc.data.corpus import Corpus
from edge_vc.labelling.labels import LabelledAudio, load_labels
from edge_vc.models.student.config import TIERS
from edge_vc.models.student.file import save_student
from edge_vc.models.student.student import Student
from edge_vc.training.student.batches import set_prior
from edge_vc.training.student.conditions import Condition
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.phones import PhoneAligner
from edge_vc.training.student.script_phones import PHONES_INPUT, ScriptPhones, one_hot
from edge_vc.training.student.settings import DistillSettings

RATE = 16_000
EVALUATED_DB = 0.0
TRAINED_DB = (-3.0, 6.0)


def noisy(
    audio: np.ndarray, snr_db: float, rng: np.random.Generator, babble: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """Return int16 ``audio`` with white noise or babble at ``snr_db`` over its whole length."""
    if len(babble) and rng.random() < 0.5:
        chosen = [babble[int(index)] for index in rng.integers(len(babble), size=4)]
        noise = sum(np.resize(other, len(audio)).astype(np.float64) for other in chosen)
    else:
        noise = rng.standard_normal(len(audio))
    clean = audio.astype(np.float64)
    wanted = np.sqrt(np.square(clean).mean() / 10 ** (snr_db / 10))
    mixed = clean + noise * wanted / max(np.sqrt(np.square(noise).mean()), 1e-9)
    return np.clip(np.round(mixed / max(1.0, np.abs(mixed).max() / 32767)), -32767, 32767).astype(
        np.int16
    )


def examples(folder: Path, count: int) -> list[LabelledAudio]:
    """Return labels of ``edge-vc label``, the first ``count`` by name."""
    return [load_labels(path) for path in sorted((folder / "labels").glob("*.npz"))[:count]]


def told_phones(example: LabelledAudio, source: ScriptPhones, folder: Path) -> Condition:
    """Return the phones of a recording; cached in ``folder``, since alignment takes minutes."""
    path = folder / f"{hashlib.sha256(example.source.tobytes()).hexdigest()[:32]}.npy"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, source.frames(example), allow_pickle=False)
        part.replace(path)
    return {source.name: np.load(path, allow_pickle=False)}


def train(
    name: str,
    learnt: Sequence[LabelledAudio],
    told: Sequence[Condition],
    args: argparse.Namespace,
) -> Student:
    """Train or resume one student; weights common to both have the same initial values."""
    inputs = (PHONES_INPUT,) if told else ()
    torch.manual_seed(0)
    student = Student(replace(TIERS["base"], inputs=inputs))
    set_prior(student, learnt[:: max(1, len(learnt) // 200)])
    contents = 1.0 if all(len(example.contents) for example in learnt) else 0.0
    settings = DistillSettings(
        steps=args.steps, contents=contents, contents_first=args.first if contents else 0.0
    )
    folder = args.out / name
    trained = Distillation(student, learnt, settings, folder, conditions=told).run().eval()
    save_student(trained, folder / "student.safetensors")
    return trained


@torch.no_grad()
def convert(student: Student, folder: Path, aligner: PhoneAligner, corpus: Corpus) -> None:
    """Write a student's output for every noisy unseen sentence, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, utterance in enumerate(corpus.select("unseen-source")):
        clean = np.round(utterance.read(RATE) * 32767).astype(np.int16)
        clean = clean[: len(clean) // 160 * 160]
        mixed = noisy(clean, EVALUATED_DB, np.random.default_rng([7, number]))
        audio = torch.from_numpy(mixed.astype(np.float32) / 32767)[None, None, None]
        inputs = {}
        if student.config.inputs:
            phones = one_hot(aligner.label(clean, utterance.text))
            inputs["phones"] = torch.from_numpy(phones)[None, :, None]
        said = student(audio, inputs).flatten().numpy()
        late = student.delay
        said = np.pad(said[late:], (0, late))
        soundfile.write(folder / f"{utterance.speaker}_{utterance.utt_id}.wav", said, RATE)


def main() -> None:
    """Train both, convert, evaluate; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--eval", type=Path)
    parser.add_argument("--out", type=Path, default=Path("build/script-phones"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--first", type=float, default=0.0, help="share of steps without sound")
    parser.add_argument("--recordings", type=int, default=2000)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    rng, aligner = np.random.default_rng(0), PhoneAligner()
    clean = examples(args.labels, args.recordings)
    others = [example.source for example in clean]
    learnt = [
        replace(example, source=noisy(example.source, rng.uniform(*TRAINED_DB), rng, others))
        for example in clean
    ]
    source = ScriptPhones(aligner=aligner)
    told = [told_phones(example, source, args.out / "phones") for example in clean]
    students = {"without": train("without", learnt, (), args)}
    students["with"] = train("with", learnt, told, args)
    if args.eval is None:
        return
    command = [sys.executable, "-m", "edge_vc", "evaluate", "source"]
    for name, student in students.items():
        convert(student, args.out / name / "converted", aligner, Corpus.open(args.eval))
        command.append(f"{name}={args.out / name / 'converted'}")
    made = args.json or args.out / "evaluation.json"
    subprocess.run([*command, "--corpus", str(args.eval), "--json", str(made)], check=True)
    sys.stdout.write(json.dumps({"report": str(made)}) + "\n")


if __name__ == "__main__":
    main()
