"""Two synthesis heads at equal cost, before and after INT8: similarity, WER, fidelity and speed.

Takes students that differ in the head only, calibrates each on a corpus's `source`
recordings, and scores all four variants on another corpus. Statistic: means over sentences with
bootstrap intervals, see `edge-vc evaluate`; speed is the median of an interleaved benchmark, one
thread, INT8 over fp32. Excludes: fine-tuning after calibration, paced timing, boards.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_vc.audio.io import Samples
from edge_vc.compress.pipeline.artifacts import as_tensor
from edge_vc.compress.quantization.error import compare
from edge_vc.compress.quantization.ptq import quantize
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.evaluation import evaluate
from edge_vc.evaluate.systems.systems import ConversionSystem
from edge_vc.models.student.file import load_student
from edge_vc.models.student.student import Student
from edge_vc_export.metadata import graph_metadata
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity.speech import example_speech
from edge_vc_export.parity.stream import OnnxStream

CALIBRATION = 8
"""Number of calibration recordings."""


def main(argv: list[str] | None = None) -> int:
    """Measure, print and save the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("students", nargs="+", type=Path, help="student.safetensors files")
    parser.add_argument("--calibrate", type=Path, required=True, help="corpus with `source`")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus to score on")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    recordings = Corpus.open(args.calibrate).select("source").utterances[:CALIBRATION]
    speech = [as_tensor(np.round(u.read(16_000) * 32767).astype(np.int16)) for u in recordings]
    results = {}
    for path in args.students:
        student = load_student(path)
        results[student.config.head] = measure(student, speech, args.corpus)
        print(json.dumps({student.config.head: results[student.config.head]}, indent=1))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def measure(student: Student, speech: list[torch.Tensor], corpus: Path) -> dict[str, Any]:
    """Return all compared figures of one student."""
    rounded = quantize(student, speech)
    forms = {"fp32": student, "int8": rounded}
    report = evaluate(
        [ConversionSystem.of(n, converter(form)) for n, form in forms.items()], corpus
    )
    scores = {name: asdict(report.systems[name])["overall"] for name in forms}
    hops = example_speech(30.0, student.config.sample_rate)
    fidelity = compare(student, rounded, torch.from_numpy(hops)[None, None, None])
    return {
        "parameters": student.count_parameters(),
        "mmacs": round(student.macs_per_second() / 1e6, 1),
        "scores": scores,
        "int8_against_fp32": fidelity,
        "graphs": race_graphs(forms, hops),
    }


def converter(student: Student) -> Callable[[Samples], Samples]:
    """Return ``student`` as a function ``[T] -> [T]`` with its delay removed."""

    def convert(audio: Samples) -> Samples:
        hop, delay = student.config.hop, student.delay
        padded = np.pad(audio, (0, delay + -(len(audio) + delay) % hop))
        with torch.no_grad():
            heard = student(torch.from_numpy(padded)[None, None, None])[0, 0, 0].numpy()
        return np.asarray(heard[delay : delay + len(audio)])

    return convert


def race_graphs(forms: dict[str, Student], audio: Samples) -> dict[str, Any]:
    """Export both precisions and time their steps, interleaved."""
    from time import perf_counter

    with tempfile.TemporaryDirectory() as folder:
        streams = {}
        facts: dict[str, Any] = {}
        for name, form in forms.items():
            path = export_onnx(
                form,
                Path(folder) / f"{name}.onnx",
                hop=form.config.hop,
                sample_rate=form.config.sample_rate,
                name=form.config.head,
                precision=name,
                licence="CC0-1.0",
            )
            streams[name] = OnnxStream(path)
            facts[f"{name}_nodes"] = graph_metadata(path).nodes
            facts[f"{name}_kb"] = round(path.stat().st_size / 1e3, 1)
        took: dict[str, list[float]] = {name: [] for name in streams}
        blocks = audio[: len(audio) // 160 * 160].reshape(-1, 160)
        for block in blocks:
            for name, stream in streams.items():
                start = perf_counter()
                stream.step(block)
                took[name].append(1e6 * (perf_counter() - start))
    facts |= {f"{name}_p50_us": round(float(np.median(t)), 1) for name, t in took.items()}
    return facts | {"int8_speedup": round(facts["fp32_p50_us"] / facts["int8_p50_us"], 3)}


if __name__ == "__main__":
    sys.exit(main())
