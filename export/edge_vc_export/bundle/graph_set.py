"""The files of one student: every precision in every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc.models.student.student import Student
from edge_vc.nn.quantized_conv import quantized_convs
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.model_file import ModelFile
from edge_vc_export.bundle.selection import Selection
from edge_vc_export.formats import DYNAMIC, FORMATS
from edge_vc_export.onnx.export import export_onnx


@dataclass(frozen=True)
class GraphFile:
    """One exported file, and whether it is wanted or only used to verify others."""

    precision: str
    format: str
    model: ModelFile
    wanted: bool

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self.model.path


class GraphSet:
    """The exported files, accessible by precision and format."""

    def __init__(self, files: Sequence[GraphFile]) -> None:
        self.files = tuple(files)

    def path(self, precision: str, format: str) -> Path | None:
        """Return the path of a file, or None if there is none."""
        found = (f.path for f in self.files if (f.precision, f.format) == (precision, format))
        return next(found, None)

    def models(self, first: str) -> list[ModelFile]:
        """Return the files for the bundle, those of precision ``first`` in front."""
        wanted = [file for file in self.files if file.wanted]
        return [file.model for file in sorted(wanted, key=lambda file: file.precision != first)]


def export_graphs(
    student: Student,
    quantized: Student | None,
    folder: Path,
    facts: BundleFacts,
    tier: str,
    selection: Selection,
    note: Callable[[str], None],
) -> GraphSet:
    """Write the selected files, and those they are verified against, into ``folder``."""
    files = []
    for precision, source in _sources(student, quantized, selection):
        for format in FORMATS:
            wanted = selection.has(precision, format)
            if wanted or selection.compares(precision, format):
                note(f"exporting {precision} as {format}")
                path = _export(source, folder, facts, precision, format)
                files.append(GraphFile(precision, format, _model(path, source, tier), wanted))
    return GraphSet(files)


def _sources(
    student: Student, quantized: Student | None, selection: Selection
) -> Iterator[tuple[str, Student]]:
    """Yield precisions with their student; always fp32, as the reference for comparisons."""
    if quantized is not None and "int8" in selection.precisions:
        yield "int8", quantized
    yield "fp32", student
    if DYNAMIC in selection.precisions:
        yield DYNAMIC, student


def _export(
    student: Student, folder: Path, facts: BundleFacts, precision: str, format: str
) -> Path:
    export = export_onnx
    if format == "tflite":
        from edge_vc_export.tflite import export_tflite  # needs the extra `tflite`

        export = export_tflite
    return export(
        student,
        folder / f"{precision}.{format}",
        hop=student.config.hop,
        sample_rate=student.config.sample_rate,
        name=facts.name,
        precision=precision,
        licence=facts.licence,
    )


def _model(path: Path, student: Student, tier: str) -> ModelFile:
    return ModelFile(
        path=path,
        tier=tier,
        parameters=student.count_parameters(),
        macs_per_second=student.macs_per_second(),
        quantization=_quantization(student) if quantized_convs(student) else None,
    )


def _quantization(student: Student) -> dict[str, object]:
    return {
        "activations": "8 bits per tensor",
        "weights": "int8 symmetric per channel",
        "convolutions": len(quantized_convs(student)),
        "int8_weights": student.trunk_parameters(),
    }
