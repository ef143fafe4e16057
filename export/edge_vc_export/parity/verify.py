"""Every file of a release compared with what it was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edge_vc.audio.io import Samples
from edge_vc.models.student.student import Student
from edge_vc_export.bundle.graph_set import GraphSet
from edge_vc_export.formats import DYNAMIC
from edge_vc_export.parity.formats import Agreement, check_agreement
from edge_vc_export.parity.pytorch_int8 import (
    Fp32Parity,
    Int8Limits,
    Int8Parity,
    check_fp32,
    check_int8,
)


@dataclass(frozen=True)
class Proof:
    """What was found, by format or precision."""

    fp32: dict[str, Fp32Parity] = field(default_factory=dict)
    """Float files against PyTorch, by format."""
    int8: dict[str, Int8Parity] = field(default_factory=dict)
    """INT8 files against the float file of the same format; ``dynamic-int8`` by its own name."""
    agreement: dict[str, Agreement] = field(default_factory=dict)
    """TFLite files against the ONNX files of the same precision."""

    @property
    def difference(self) -> float:
        """Largest difference of any float file from PyTorch."""
        return max((max(p.offline, p.streaming) for p in self.fp32.values()), default=0.0)


def prove(
    graphs: GraphSet,
    student: Student | None,
    speech: Samples,
    limits: Int8Limits | None,
    note: Callable[[str], None],
) -> Proof:
    """Compare every file over ``speech`` ``[T]``; raise `ParityError` at the first that differs.

    Without a ``student`` float files are compared with each other alone.
    """
    proof = Proof()
    for file in graphs.files:
        # The same engine: another one rounds an F0 differently now and then, and its pulses are
        # elsewhere from there on.
        reference = graphs.path("fp32", file.format)
        twin = graphs.path(file.precision, "onnx")
        if file.format == "tflite" and twin is not None:
            note(f"comparing {file.precision} as tflite with onnx")
            proof.agreement[file.precision] = check_agreement(twin, file.path, speech)
        if file.precision == "fp32" and student is not None:
            note(f"checking fp32 as {file.format} against PyTorch")
            proof.fp32[file.format] = check_fp32(student, file.path, speech)
        elif file.precision != "fp32" and reference is not None:
            note(f"checking {file.precision} as {file.format} against fp32")
            name = DYNAMIC if file.precision == DYNAMIC else file.format
            proof.int8[name] = check_int8(reference, file.path, speech, limits)
    return proof


def proof_metrics(proof: Proof) -> dict[str, float]:
    """Return the figures that come out the same on every run; speeds do not."""
    metrics = {}
    if proof.fp32:
        metrics["fp32_difference"] = round(proof.difference, 9)
    for format, parity in proof.int8.items():
        suffix = "" if format == "onnx" else f"_{format.replace('-', '_')}"
        metrics[f"int8_trunk_snr_db{suffix}"] = round(parity.trunk_snr_db, 2)
        metrics[f"int8_spectral_distance_db{suffix}"] = round(parity.spectral_distance_db, 3)
    if "int8" in proof.agreement:
        metrics["int8_formats_snr_db"] = round(proof.agreement["int8"].trunk_snr_db, 1)
    return metrics
