"""From students to a bundle in one call: export, prove, measure, write."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.compress.quantize import quantized_convs
from edge_vc.models.student import Student
from edge_vc_export.bundle import BundleFacts, ModelFile, write_bundle
from edge_vc_export.facts import graph_facts
from edge_vc_export.onnx import export_onnx
from edge_vc_export.parity import Fp32Parity, Int8Limits, Int8Parity, check_fp32, check_int8
from edge_vc_export.signing import Signer
from edge_vc_export.speech import example_speech
from edge_vc_export.speed import Ratio, race, ratio
from edge_vc_runtime.session import Session

PARITY_SECONDS = 30.0

Note = Callable[[str], None]
"""Told in one line what is done next or what was found."""


@dataclass(frozen=True)
class Release:
    """A written bundle and what was measured on the way."""

    path: Path
    nodes: dict[str, int]
    """Nodes of each graph, by precision."""
    fp32: Fp32Parity
    int8: Int8Parity | None
    speedup: Ratio | None
    """INT8 over fp32 on this machine, back to back."""
    default: str
    """Precision that runs unless another is asked for."""

    @property
    def metrics(self) -> dict[str, float]:
        """All figures, flat, as a run folder keeps them."""
        found = {f"nodes_{precision}": float(count) for precision, count in self.nodes.items()}
        found |= {"fp32_offline": self.fp32.offline, "fp32_streaming": self.fp32.streaming}
        if self.int8 is not None:
            found["trunk_snr_db"] = self.int8.trunk_snr_db
            found["drift_db"] = self.int8.drift_db
            found["lsd_db"] = self.int8.spectral_distance_db
        if self.speedup is not None:
            found["int8_speedup"] = self.speedup.median
        return found


def release_bundle(
    path: str | Path,
    student: Student,
    quantized: Student | None,
    facts: BundleFacts,
    *,
    tier: str,
    speech: Samples | None = None,
    limits: Int8Limits | None = None,
    signer: Signer | None = None,
    note: Note = lambda line: None,
) -> Release:
    """Export a student, and its quantised form if there is one, into a checked bundle.

    ``speech`` ``[T]`` at the student's rate is what parity is proven on, half a minute of an
    example sentence by default; give speech whose end is like its beginning. INT8 is the
    default model unless it turns out slower than fp32 here: then fp32 is, and ``note`` is told.

    Raises `ParityError` when a graph differs from its student; then nothing is written.
    """
    rate = student.config.sample_rate
    speech = example_speech(PARITY_SECONDS, rate) if speech is None else speech
    with tempfile.TemporaryDirectory(prefix="edge-vc-export-") as folder:
        note("exporting fp32")
        models = [_export(student, Path(folder), facts, tier, "fp32")]
        note(f"checking fp32 against PyTorch over {speech.shape[0] / rate:.0f} s")
        fp32 = check_fp32(student, models[0].path, speech)
        int8 = None
        if quantized is not None:
            note("exporting and checking int8")
            models.insert(0, _export(quantized, Path(folder), facts, tier, "int8"))
            int8 = check_int8(models[1].path, models[0].path, speech, limits)
        measured = replace(facts, metrics={**facts.metrics, **_parity_metrics(fp32, int8)})
        written = write_bundle(path, measured, models, speech, signer)
        speedup = None
        if int8 is not None:
            note("racing int8 against fp32")
            speedup = compare_precisions(written, speech)
            if speedup.median < 1:
                note(
                    f"int8 is slower than fp32 on this machine ({speedup.median:.2f}x): "
                    "the bundle keeps fp32 as its default"
                )
                models.reverse()
                written = write_bundle(path, measured, models, speech, signer)
        return Release(
            path=written,
            nodes={facts.precision: facts.nodes for facts in (graph_facts(m.path) for m in models)},
            fp32=fp32,
            int8=int8,
            speedup=speedup,
            default=graph_facts(models[0].path).precision,
        )


def compare_precisions(bundle: str | Path, speech: Samples) -> Ratio:
    """Race a bundle's INT8 model against its fp32 model, tight and on one thread."""
    sessions = {
        precision: Session.open(bundle, precision=precision) for precision in ("int8", "fp32")
    }
    hop = sessions["int8"].hop
    count = min(speech.shape[0] // hop, 500)
    took = race(sessions, np.ascontiguousarray(speech[: count * hop]).reshape(count, hop))
    return ratio(took["fp32"], took["int8"])


def _export(
    student: Student, folder: Path, facts: BundleFacts, tier: str, precision: str
) -> ModelFile:
    path = export_onnx(
        student,
        folder / f"{precision}.onnx",
        hop=student.config.hop,
        sample_rate=student.config.sample_rate,
        name=facts.name,
        precision=precision,
        licence=facts.licence,
    )
    return ModelFile(
        path=path,
        tier=tier,
        parameters=student.count_parameters(),
        macs_per_second=student.macs_per_second(),
        quantization=_quantization(student) if precision == "int8" else None,
    )


def _quantization(student: Student) -> dict[str, object]:
    return {
        "activations": "uint8 per tensor",
        "weights": "int8 symmetric per channel",
        "convolutions": len(quantized_convs(student)),
        "int8_weights": student.trunk_parameters(),
    }


def _parity_metrics(fp32: Fp32Parity, int8: Int8Parity | None) -> dict[str, float]:
    """Figures that come out the same on every run go into the manifest; speeds do not."""
    metrics = {"fp32_difference": round(max(fp32.offline, fp32.streaming), 9)}
    if int8 is not None:
        metrics["int8_trunk_snr_db"] = round(int8.trunk_snr_db, 2)
        metrics["int8_spectral_distance_db"] = round(int8.spectral_distance_db, 3)
    return metrics
