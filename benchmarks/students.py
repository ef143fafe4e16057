"""Students of one teacher at several latencies and sizes, and ablations of their training.

    python benchmarks/students.py --teacher my-voice --corpus corpus/train --eval corpus/eval \\
        --out build/students --json benchmarks/results/students.json

Every student is trained from random weights by the same recipe (`clear`) except for its row's
change: latency (20, 30, 50, 80 ms) at 0.8 million INT8 weights, size (0.4, 0.8, 1.6, 3.2 million)
at 20 and 50 ms, look-ahead in the first convolution only (``first``), and at 20 ms and 0.8 million
one change each: contents as soft units (``units``), not trained first (``together``), left out
(``filters``: filters are still trained first; ``sound``: nothing is), no recogniser loss
(``wordless``), no noise in the inputs (``clean``), pruned from a newly trained wide student
(``wide``, ``pruned``), or initialised from the shipped one (``carried``).

With ``--labels`` the teacher labels once for all rows. Each student has a run folder of `edge-vc
compress`: after an interruption at any point, the same command resumes without repeating finished
work. ``--only`` selects rows, ``--steps`` and ``--minutes`` reduce either, ``--first`` sets another
share of the steps without sound, ``--list`` lists the rows. All rows are evaluated in one run: INT8
under LiteRT, or with ``--float`` the students as trained, which needs neither calibration nor
export; nothing is timed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import tomli_w

from edge_vc.compress.own_voice import with_teacher
from edge_vc.compress.pipeline.artifacts import STUDENT
from edge_vc.compress.recipe import Recipe, load_recipe
from edge_vc.compress.run import build_stages, compress
from edge_vc.compress.stages.initial_student import initial_student
from edge_vc.evaluate.metrics.registry import system_metrics
from edge_vc.evaluate.report.reader import read_evaluation
from edge_vc.evaluate.report.report import Score, SystemScore
from edge_vc.evaluate.report.summary import Summary
from edge_vc.settings.field import RecipeError
from edge_vc.training.student.settings import DistillSettings

HOPS = {20: 0, 30: 1, 50: 3, 80: 6}
"""Look-ahead in hops of 10 ms by algorithmic latency in ms."""
SIZES = (400, 800, 1600, 3200)
"""INT8 weights of the trunk, in thousands."""
REFERENCE = "20ms-800k"
"""The row that all others are compared with, on the same sentences."""


@dataclass(frozen=True)
class Row:
    """What distinguishes one student from the others."""

    latency: int = 20
    """Algorithmic, in ms."""
    size: int = 800
    """INT8 weights in thousands; 0: those of the wide tier."""
    lookahead_in: str = "blocks"
    """Which convolutions look ahead."""
    distill: Mapping[str, Any] = field(default_factory=dict)
    """Changes of ``[distill]``."""
    noise: bool = True
    """Whether its inputs get the recipe's reverberation and noise."""
    weights: str = "random"
    """``shipped``: the shipped student's; a row's name: that row's."""


def rows() -> dict[str, Row]:
    """Return every row by its name; a row precedes those initialised from it."""
    found = {f"{latency}ms-800k": Row(latency) for latency in HOPS}
    for latency in (20, 50):
        for size in SIZES:
            found[f"{latency}ms-{size}k"] = Row(latency, size)
    found["50ms-800k-first"] = Row(50, lookahead_in="first")
    found["20ms-800k-units"] = Row(distill={"contents_units": 256})
    found["20ms-800k-together"] = Row(distill={"contents_first": 0.0})
    found["20ms-800k-sound"] = Row(distill={"contents": 0.0, "contents_first": 0.0})
    found["20ms-800k-filters"] = Row(distill={"contents": 0.0})
    found["20ms-800k-wordless"] = Row(distill={"words": 0.0})
    found["20ms-800k-clean"] = Row(noise=False)
    found["20ms-wide"] = Row(size=0)
    found["20ms-800k-pruned"] = Row(weights="20ms-wide")
    found["20ms-800k-carried"] = Row(weights="shipped")
    return found


def recipes(args: argparse.Namespace) -> Iterator[tuple[str, Recipe]]:
    """Yield the recipe of every requested row."""
    start = with_teacher(load_recipe("clear"), args.teacher)
    for name, row in rows().items():
        if not args.only or name in args.only:
            yield name, _recipe(name, row, start, args)


def _recipe(name: str, row: Row, start: Recipe, args: argparse.Namespace) -> Recipe:
    begun = row.weights in rows()
    trained = args.out / row.weights / "distill" / STUDENT
    student = replace(
        start.student,
        tier="base" if row.weights == "shipped" else "wide",
        weights=str(trained) if begun else row.weights,
        lookahead=HOPS[row.latency],
        lookahead_in=row.lookahead_in,
        thousand_weights=float(row.size) if row.weights == "random" else 0.0,
    )
    distill: DistillSettings = replace(start.distill, **row.distill)
    if row.weights != "random":
        distill = replace(distill, pitch_steps=0)
    if args.steps:
        distill = replace(distill, steps=args.steps, pitch_steps=args.steps // 6)
    if args.first is not None and distill.contents_first:
        distill = replace(distill, contents_first=args.first)
    noise = start.noise if row.noise else replace(start.noise, share=0.0)
    data = replace(start.data, corpus=args.corpus, labels=args.labels)
    if args.minutes:
        data = replace(data, minutes=args.minutes, vary=False)
    weight_kb = float(row.size) if row.size else start.target.max_weight_kb
    target = replace(start.target, max_latency_ms=float(row.latency), max_weight_kb=weight_kb)
    return replace(
        start,
        student=student,
        distill=distill,
        noise=noise,
        data=data,
        prune=replace(start.prune, enabled=row.weights != "random"),
        target=target,
        export=replace(start.export, name=name),
    )


def train(name: str, recipe: Recipe, out: Path, *, in_float: bool) -> Path:
    """Run or resume one row; return its bundle, or its trained student."""
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe-asked.toml").write_text(tomli_w.dumps(recipe.to_dict()))
    result = compress(recipe, folder, until="distill" if in_float else None)
    if in_float:
        return result.artifact("distill") / STUDENT
    return next(result.artifact("export").glob("*.evc"))


def evaluate(students: Mapping[str, Path], args: argparse.Namespace) -> Path:
    """Return the evaluation's JSON file of all students or bundles, from a single, cached run."""
    made: Path = args.out / f"evaluation-{args.per_speaker or 'all'}.json"
    newest = max(path.stat().st_mtime for path in students.values())
    known: Mapping[str, Any] = {}
    if made.is_file() and made.stat().st_mtime > newest:
        known = json.loads(made.read_text())["systems"]
    if students.keys() != _by_row(known, students).keys():
        command = [sys.executable, "-m", "edge_vc", "evaluate"]
        command += [f"{name}={path}" for name, path in students.items()]
        command += ["--corpus", args.eval, "--json", str(made)]
        command += ["--per-speaker", str(args.per_speaker)] if args.per_speaker else []
        command += ["--jobs", str(args.jobs)] if args.jobs else []
        subprocess.run(command, check=True)
    return made


def figures(evaluation: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return each row's figures from a report, with the paired differences from `REFERENCE`."""
    report = read_evaluation(evaluation)
    measured = {metric.key for metric in report.metrics}
    summary = Summary([metric for metric in system_metrics() if metric.key in measured])
    rows: dict[str, SystemScore] = _by_row(report.systems, names)
    source = next(iter(report.systems.values())).sentences
    found: dict[str, dict[str, Any]] = {}
    for name, system in rows.items():
        found[name] = {"sentences": report.sentence_count, "figures": _plain(system.overall)}
        if REFERENCE in rows and name != REFERENCE:
            compared = summary.with_deltas(system, rows[REFERENCE], source)
            found[name]["differences"] = _plain(compared.deltas or {})
    return found


def _plain(score: Score) -> dict[str, Any]:
    return {key: asdict(estimate) for key, estimate in score.items() if estimate is not None}


def _by_row(systems: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return each row's system by name; a bundle's name ends in precision and engine."""
    found = {name: systems.get(name) or systems.get(f"{name}-int8-litert") for name in names}
    return {name: system for name, system in found.items() if system is not None}


def describe(recipe: Recipe) -> dict[str, object]:
    """Return latency, size and cost of a row's student, computed from its untrained layers."""
    try:
        student = initial_student(recipe.student)
    except RecipeError as error:
        return {"waits_for": str(error)}  # the row that it is initialised from has not been trained
    return {
        "latency_ms": student.algorithmic_latency_ms,
        "trunk_weights": student.trunk_parameters(),
        "mmacs": round(student.macs_per_second() / 1e6, 1),
    }


def main() -> None:
    """Train, evaluate and write the requested rows; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", default="shipped", help="as `edge-vc compress --teacher`")
    parser.add_argument("--corpus", default="", help="speech that the teacher labels")
    parser.add_argument("--labels", default="", help="labels of `edge-vc label`, instead")
    parser.add_argument("--eval", default="", help="corpus of `edge-vc evaluate`")
    parser.add_argument("--out", type=Path, default=Path("build/students"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*", metavar="ROW")
    parser.add_argument("--steps", type=int, default=0, help="instead of the recipe's")
    parser.add_argument("--minutes", type=float, default=0.0, help="of unaugmented speech")
    parser.add_argument("--first", type=float, help="share of the steps without sound")
    parser.add_argument("--float", action="store_true", help="evaluate without export")
    parser.add_argument("--per-speaker", type=int, default=0, help="sentences of each; 0: all")
    parser.add_argument("--jobs", type=int, default=0, help="evaluation processes")
    parser.add_argument("--list", action="store_true", help="list the rows and exit")
    args = parser.parse_args()
    facts, students = {}, {}
    for name, recipe in recipes(args):
        facts[name] = {**describe(recipe), "steps": recipe.distill.steps}
        if args.list:
            sys.stdout.write(f"{name}: {json.dumps(facts[name])}\n")
            continue
        build_stages(recipe)
        students[name] = train(name, recipe, args.out, in_float=args.float)
        if not args.float:
            facts[name]["int8_kb"] = round(students[name].stat().st_size / 1e3)
    if args.eval and students:
        for name, found in figures(evaluate(students, args), students).items():
            facts[name] |= found
    if args.json:
        result = {"benchmark": "students", "rows": facts}
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
