"""Verification of a release: every file against its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edge_vc.audio.int8_difference import Int8Difference
from edge_vc.audio.io import Samples
from edge_vc.models.student.student import Student
from edge_vc_export.bundle.graph_set import GraphSet
from edge_vc_export.formats import DYNAMIC
from edge_vc_export.parity.cross_format import CrossFormatParity, check_cross_format
from edge_vc_export.parity.fp32 import Fp32Parity, check_fp32
from edge_vc_export.parity.int8 import Int8Limits, check_int8


@dataclass(frozen=True)
class Verification:
    """Results of the comparisons, by format or precision."""

    fp32: dict[str, Fp32Parity] = field(default_factory=dict)
    """Float files against PyTorch, by format."""
    int8: dict[str, Int8Difference] = field(default_factory=dict)
    """INT8 files against the float file of the same format; ``dynamic-int8`` under its name."""
    cross_format: dict[str, CrossFormatParity] = field(default_factory=dict)
    """TFLite files against the ONNX files of the same precision."""

    @property
    def difference(self) -> float:
        """Largest difference of any float file from PyTorch."""
        return max((max(p.offline, p.streaming) for p in self.fp32.values()), default=0.0)


def verify(
    graphs: GraphSet,
    student: Student | None,
    speech: Samples,
    limits: Int8Limits | None,
    note: Callable[[str], None],
) -> Verification:
    """Compare every file over ``speech`` ``[T]``; raise `ParityError` for the first beyond a limit.

    Float files are compared with ``student``, INT8 files with the float file of the same format,
    TFLite files with the ONNX files of the same precision. Without a ``student`` the first of the
    three is skipped. ``note`` is called with a line before each comparison.
    """
    verification = Verification()
    for file in graphs.files:
        # Use the same engine: another one occasionally rounds an F0 to a neighbouring grid step,
        # which shifts all later pulses.
        reference = graphs.path("fp32", file.format)
        twin = graphs.path(file.precision, "onnx")
        if file.format == "tflite" and twin is not None:
            note(f"comparing {file.precision} as tflite with onnx")
            verification.cross_format[file.precision] = check_cross_format(twin, file.path, speech)
        if file.precision == "fp32" and student is not None:
            note(f"checking fp32 as {file.format} against PyTorch")
            verification.fp32[file.format] = check_fp32(student, file.path, speech)
        elif file.precision != "fp32" and reference is not None:
            note(f"checking {file.precision} as {file.format} against fp32")
            name = DYNAMIC if file.precision == DYNAMIC else file.format
            verification.int8[name] = check_int8(reference, file.path, speech, limits)
    return verification


def verification_metrics(verification: Verification) -> dict[str, float]:
    """Return the figures, rounded because their last digits depend on the processor."""
    metrics = {}
    if verification.fp32:
        metrics["fp32_difference"] = round(verification.difference, 9)
    for format, parity in verification.int8.items():
        suffix = "" if format == "onnx" else f"_{format.replace('-', '_')}"
        metrics[f"int8_trunk_snr_db{suffix}"] = round(parity.trunk_snr_db, 2)
        metrics[f"int8_spectral_distance_db{suffix}"] = round(parity.lsd_db, 3)
    if "int8" in verification.cross_format:
        metrics["int8_formats_snr_db"] = round(verification.cross_format["int8"].trunk_snr_db, 1)
    return metrics
