"""The last stage: ONNX graphs, checked against PyTorch, and the bundle."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from edge_vc.compress.artefacts import STUDENT, LabelledSpeech
from edge_vc.compress.quantize import quantized_convs
from edge_vc.compress.quantize_stage import holdout_audio
from edge_vc.compress.stage import LimitError, Metrics, Progress, Stage, Workspace
from edge_vc.compress.student_file import load_student
from edge_vc.models.student import Student

if TYPE_CHECKING:
    from edge_vc_export.bundle import BundleFacts, ModelFile

PARITY_SECONDS = 45.0
"""Speech over which graphs are compared: 30 s or more tell drift from chance."""
TIMED_ROUNDS = 40
TIMED_HOPS = 10
"""Hops of one precision in a row, before it is the other's turn."""
CC0_TEXT = (
    "The weights in this bundle speak with a voice that its owner released under CC0 1.0 "
    "Universal (https://creativecommons.org/publicdomain/zero/1.0/legalcode); to the extent "
    "possible under law, all copyright and related rights in the weights are waived as well.\n"
)


class ExportStage(Stage):
    """Exports both precisions, proves that they are the students, writes the bundle."""

    name: ClassVar[str] = "export"
    needs: ClassVar[tuple[str, ...]] = ("data", "distill", "qat")
    sections: ClassVar[tuple[str, ...]] = ("export", "quantize", "student")

    def run(self, work: Workspace) -> Metrics:
        """Raises `LimitError` when a graph is not the student it was made from."""
        student = load_student(work.inputs["distill"] / STUDENT)
        rounded = load_student(work.inputs["qat"] / STUDENT)
        speech = LabelledSpeech.open(work.inputs["data"])
        audio = holdout_audio(speech, student.config.sample_rate).flatten()
        audio = audio[: round(PARITY_SECONDS * student.config.sample_rate)]
        wanted = self.wanted(bool(quantized_convs(rounded.trunk)))
        students = {"int8": rounded, "fp32": student}
        graphs = {
            precision: self._export(students[precision], precision, work.output)
            for precision in work.progress(wanted, len(wanted), "export")
        }
        metrics = self._check(student, graphs, audio.numpy())
        times = hop_times_ms(graphs, work.progress)
        metrics |= {f"{precision}_hop_ms": value for precision, value in times.items()}
        order = sorted(graphs, key=lambda precision: times[precision])
        bundle = self._bundle(student, graphs, order, metrics, audio.numpy(), work)
        sizes = {f"{p}_kb": path.stat().st_size / 1e3 for p, path in graphs.items()}
        metrics |= sizes | {"bundle_kb": bundle.stat().st_size / 1e3}
        return metrics | {"int8_is_default": float(order[0] == "int8")}

    def wanted(self, quantized: bool) -> tuple[str, ...]:
        """Precisions to export, given whether there is a quantised student."""
        asked = self.recipe.export.precision
        possible = ("int8", "fp32") if quantized else ("fp32",)
        return tuple(p for p in possible if asked in ("both", p)) or ("fp32",)

    def _export(self, student: Student, precision: str, folder: Path) -> Path:
        from edge_vc_export.onnx import export_onnx

        return export_onnx(
            student,
            folder / f"model.{precision}.onnx",
            hop=student.config.hop,
            sample_rate=student.config.sample_rate,
            name=self.recipe.export.name,
            precision=precision,
            licence=self.recipe.export.licence,
        )

    def _check(self, student: Student, graphs: Mapping[str, Path], audio: Any) -> Metrics:
        from edge_vc_export.parity import Int8Limits, ParityError, check_fp32, check_int8

        limits = self.recipe.quantize
        metrics: Metrics = {}
        try:
            if "fp32" in graphs:
                metrics["fp32_error"] = check_fp32(student, graphs["fp32"], audio).streaming
            if len(graphs) == 2:
                allowed = Int8Limits(limits.min_snr_db, limits.max_lsd_db, limits.max_drift_db)
                parity = check_int8(graphs["fp32"], graphs["int8"], audio, allowed)
                metrics["int8_trunk_snr_db"] = parity.trunk_snr_db
                metrics["int8_lsd_db"] = parity.spectral_distance_db
                metrics["int8_drift_db"] = max(0.0, parity.drift_db)
        except ParityError as error:
            raise LimitError(f"stage export stopped the run: {error}") from error
        return metrics

    def _bundle(
        self,
        student: Student,
        graphs: Mapping[str, Path],
        order: list[str],
        metrics: Metrics,
        audio: Any,
        work: Workspace,
    ) -> Path:
        from edge_vc_export.bundle import write_bundle

        models = [self._model(student, precision, graphs[precision]) for precision in order]
        path = work.output / f"{self.recipe.export.name}.evc"
        return write_bundle(path, self._facts(metrics), models, audio)

    def _model(self, student: Student, precision: str, path: Path) -> ModelFile:
        from edge_vc_export.bundle import ModelFile

        quantization = {"weights": "s8 per channel", "activations": "u8 per tensor"}
        return ModelFile(
            path,
            tier=self.recipe.student.tier,
            parameters=student.count_parameters(),
            macs_per_second=student.macs_per_second(),
            quantization=quantization if precision == "int8" else None,
        )

    def _facts(self, metrics: Metrics) -> BundleFacts:
        from edge_vc_export.bundle import BundleFacts

        section = self.recipe.export
        # Times belong to the machine that measured them, not to the model.
        kept = {k: v for k, v in metrics.items() if not k.endswith("_ms")}
        return BundleFacts(
            section.name,
            section.version,
            section.licence,
            section.consent,
            CC0_TEXT if section.licence == "CC0-1.0" else f"Licence: {section.licence}\n",
            metrics=kept,
            provenance={"recipe": self.recipe.to_dict()},
        )


def hop_times_ms(graphs: Mapping[str, Path], progress: Progress) -> dict[str, float]:
    """Median time of one hop per precision in milliseconds, one thread, taken in turns.

    Good for saying which is faster on this machine, nothing more: `profile` measures.
    """
    from edge_vc_export.stream import OnnxStream

    streams = {precision: OnnxStream(path) for precision, path in graphs.items()}
    times: dict[str, list[float]] = {precision: [] for precision in streams}
    noise = torch.randn(TIMED_HOPS, next(iter(streams.values())).facts.hop).numpy() * 0.1
    for _ in progress(range(TIMED_ROUNDS), TIMED_ROUNDS, "timing"):
        for precision, stream in streams.items():
            for hop in noise:
                start = time.perf_counter()
                stream.step(hop)
                times[precision].append(1e3 * (time.perf_counter() - start))
    return {precision: statistics.median(values) for precision, values in times.items()}
