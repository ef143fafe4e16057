"""From-scratch ablations of the teacher's training, one change each.

Every variant has the same recipe, data, seed and budget, and is scored on sentences that training
left out (`edge_vc.data.development`), denoised, since word errors show in clean recordings; never
on the evaluation corpus. The recogniser expects every sentence of the training corpus. Statistic:
means over the sentences with bootstrap intervals, see `edge-vc evaluate`; noise is babble and
speech-shaped noise at 10 dB. Leaves out: repetitions with other seeds, longer budgets. Re-run the
command to resume.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from edge_vc.models.weights_file import weights_hash

if TYPE_CHECKING:
    from edge_vc.evaluate.report.report import EvaluationReport, SystemScore

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "full": (),
    "istft head": ('network.head="istft"',),
    "no adversary": ("losses.adversarial_from=1.0",),
    "paired adversary": ("unpaired=0",),
    "narrow perturbation": (
        "inputs.f0_hz=[120.0, 220.0]",
        "inputs.warp=[0.9, 1.1]",
        "inputs.warp_spread=0.03",
        "inputs.mel_warp=0.02",
        "inputs.mel_warp_natural=0.05",
    ),
    "no noise": ("inputs.noise_share=0.0", "inputs.room_share=0.0"),
    "no expander": ("inputs.expansion=[1.0, 1.0]",),
    "no floor": ("network.floor=-20.0",),
    "no retrieval": ("units=0", "retrieve_from=0"),
    "retrieval afterwards": ("retrieve_from=0",),
    "no attention": ("network.attention_blocks=0",),
    "no invariance": ("losses.invariance=0.0", "losses.consistency=0.0"),
}
"""Name of each variant and how its settings differ from the recipe's."""
NOISE_DB = 10.0
DENOISE_DB = 25.0
_EXAMPLES = """examples:
  python benchmarks/ablation.py train --work build/ablation --pack build/pack --minutes 3
      where there is a GPU; `--max-minutes 9` ends a session, the next one resumes
  python benchmarks/ablation.py score --work build/ablation --corpus CORPUS \\
      --json benchmarks/results/ablation.json
      anywhere; then `python benchmarks/table.py benchmarks/results/ablation.json`
"""


def main(argv: list[str] | None = None) -> int:
    """Train or score the variants; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="ablation.py",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train each variant")
    train.add_argument("--recipe", default="cpu")
    data = train.add_mutually_exclusive_group(required=True)
    data.add_argument("--pack", type=Path, help="folder of edge_vc.training.teacher.dataset_pack")
    data.add_argument("--corpus", type=Path)
    train.add_argument("--steps", type=int, help="of each variant")
    train.add_argument("--minutes", type=float, help="or wall clock of each variant")
    train.add_argument("--max-minutes", type=float, help="of all variants in this session")
    train.add_argument("--threads", type=int, help="CPU threads of each training")
    train.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    score = commands.add_parser("score", help="score what was trained")
    score.add_argument("--corpus", type=Path, required=True, help="the training corpus")
    score.add_argument("--json", type=Path, help="keep the figures here")
    score.add_argument("--per-speaker", type=int, help="sentences per source speaker")
    score.add_argument("--jobs", type=int, default=1)
    for command in (train, score):
        command.add_argument("--work", type=Path, required=True, help="folder of the runs")
        command.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    args = parser.parse_args(argv)
    return train_all(args) if args.command == "train" else score_all(args)


def run_of(work: Path, variant: str) -> Path:
    """Return a variant's run folder."""
    return work / variant.replace(" ", "-")


def train_all(args: argparse.Namespace) -> int:
    """Train the variants that are not finished, each by the command that trains the teacher."""
    from time import monotonic

    start = monotonic()
    for variant in args.only:
        folder = run_of(args.work, variant)
        if is_finished(folder):
            continue
        command = [sys.executable, "-m", "edge_vc", "train", "teacher", "--out", str(folder)]
        command += ["--recipe", args.recipe]
        source = ["--pack", args.pack] if args.pack else ["--corpus", args.corpus]
        budget = ["--steps", args.steps] if args.steps else ["--minutes", args.minutes]
        command += [str(word) for word in (*source, *budget)]
        if args.threads:
            command += ["--threads", str(args.threads)]
        if args.max_minutes:
            left = args.max_minutes - (monotonic() - start) / 60
            if left < 0.5:
                return 0
            command += ["--max-minutes", f"{left:.2f}"]
        for change in (*args.changes, *VARIANTS[variant]):
            command += ["--set", change]
        print(f"ablation: {variant}", flush=True)
        code = subprocess.run(command, check=False).returncode
        if code:
            return code
    return 0


def is_finished(folder: Path) -> bool:
    """Say whether a run has used its whole budget."""
    facts = folder / "run.json"
    return facts.is_file() and bool(json.loads(facts.read_text())["finished"])


def score_all(args: argparse.Namespace) -> int:
    """Score the finished variants on the same sentences."""
    from edge_vc.data.corpus import Corpus
    from edge_vc.data.development import Development
    from edge_vc.evaluate.evaluation import EvaluationOptions, evaluate
    from edge_vc.evaluate.systems.systems import load_systems

    finished = [v for v in args.only if is_finished(run_of(args.work, v))]
    for variant in args.only:
        if variant not in finished:
            print(f"ablation: {variant} is not finished; left out", file=sys.stderr)
    if not finished:
        print(f"ablation: {args.work}: nothing finished to score", file=sys.stderr)
        return 2
    corpus, development = Corpus.open(args.corpus), args.work / "development"
    if not (development / "metadata.csv").is_file():
        Development.of(corpus).write(development, DENOISE_DB)
    everybody = load_systems("source")
    for variant in finished:
        folder = run_of(args.work, variant)
        everybody += load_systems(f"{folder.name}={folder / 'teacher.safetensors'}")
    expected = tuple(u.text for u in corpus if u.text)
    options = EvaluationOptions(args.per_speaker, NOISE_DB, jobs=args.jobs, more_text=expected)
    with Progress() as bar:
        task = bar.add_task("score", total=None)
        report = evaluate(
            everybody,
            development,
            options,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    text = json.dumps(result_of(report, args.work, finished), indent=1) + "\n"
    if args.json:
        args.json.write_text(text)
    print(text, end="")
    return 0


def result_of(report: EvaluationReport, work: Path, variants: Sequence[str]) -> dict[str, Any]:
    """Return the figures, and their differences from those of the first variant."""
    results = {}
    for variant in variants:
        folder = run_of(work, variant)
        facts = json.loads((folder / "run.json").read_text())
        results[variant] = {
            "weights_sha256": weights_hash(folder / "teacher.safetensors"),
            "run": {key: facts[key] for key in ("steps", "minutes", "device", "precision")},
            "clean": _figures(report.systems[folder.name]),
            "noisy": {name: _figures(table[folder.name]) for name, table in report.noisy.items()},
        }
    return {
        "benchmark": "ablation",
        "noise_db": NOISE_DB,
        "denoise_db": DENOISE_DB,
        "sentences": len(report.sentences),
        "topline": asdict(report.topline)["overall"],
        "recordings": {
            "clean": _figures(report.systems["source"]),
            "noisy": {name: _figures(table["source"]) for name, table in report.noisy.items()},
        },
        "variants": results,
    }


def _figures(score: SystemScore) -> dict[str, Any]:
    found = asdict(score)
    return found["overall"] | {"less_the_first": found["deltas"]}


if __name__ == "__main__":
    raise SystemExit(main())
