"""From students to a bundle in one call: export, prove, measure, write."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.models.student.student import Student
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.graph_set import GraphSet, Selection, export_graphs
from edge_vc_export.bundle.rebundle import bundle_facts, take_graphs
from edge_vc_export.bundle.signing import Signer
from edge_vc_export.bundle.writer import write_bundle
from edge_vc_export.facts import graph_facts
from edge_vc_export.formats import DYNAMIC, FORMATS
from edge_vc_export.parity.pytorch_int8 import Int8Limits
from edge_vc_export.parity.speech import example_speech
from edge_vc_export.parity.speed import Ratio, race, ratio
from edge_vc_export.parity.verify import Proof, proof_metrics, prove
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.engines import engines_for
from edge_vc_runtime.session import Session

PARITY_SECONDS = 30.0
ANY_INT8 = Int8Limits(least_snr_db=0.0, largest_distance_db=60.0, largest_drift_db=60.0)
"""For bundles that were held to their limits when they were made."""

Note = Callable[[str], None]
"""Told in one line what is done next or what was found."""


@dataclass(frozen=True)
class Release:
    """A written bundle and what was measured on the way."""

    path: Path
    nodes: dict[str, int]
    """Nodes of each file, by its name in the bundle."""
    proof: Proof
    speedup: dict[str, Ratio]
    """INT8 over fp32 on this machine, back to back, by format."""
    default: str
    """Precision that runs unless another is asked for."""

    @property
    def metrics(self) -> dict[str, float]:
        """All figures, flat, as a run folder keeps them; of several formats, the worst."""
        found = {f"nodes_{name}": float(count) for name, count in self.nodes.items()}
        if fp32 := self.proof.fp32.values():
            found["fp32_offline"] = max(parity.offline for parity in fp32)
            found["fp32_streaming"] = max(parity.streaming for parity in fp32)
        if int8 := [p for name, p in self.proof.int8.items() if name != DYNAMIC]:
            found["trunk_snr_db"] = min(parity.trunk_snr_db for parity in int8)
            found["drift_db"] = max(parity.drift_db for parity in int8)
            found["lsd_db"] = max(parity.spectral_distance_db for parity in int8)
        if agreement := self.proof.agreement.values():
            found["formats_snr_db"] = min(each.trunk_snr_db for each in agreement)
        return found | {f"int8_speedup_{f}": speed.median for f, speed in self.speedup.items()}


def release_bundle(
    path: str | Path,
    student: Student,
    quantized: Student | None,
    facts: BundleFacts,
    *,
    tier: str,
    selection: Selection | None = None,
    speech: Samples | None = None,
    limits: Int8Limits | None = None,
    signer: Signer | None = None,
    note: Note = lambda line: None,
) -> Release:
    """Export a student, and its quantised form if there is one, into a checked bundle.

    Every file is compared with what it was made from over ``speech`` ``[T]`` at the student's
    rate (30 s of varied human speech by default), the formats with each other. INT8 becomes the
    bundle's default unless it turns out slower than fp32 here in every format: then fp32 is, and
    ``note`` is told.

    Raises `FormatError` before any work for a selection that cannot be written, and `ParityError`
    when a file differs from its student; then nothing is written.
    """
    selection = selection or Selection()
    selection.check(quantized is not None)
    rate = student.config.sample_rate
    speech = example_speech(PARITY_SECONDS, rate) if speech is None else speech
    with tempfile.TemporaryDirectory(prefix="edge-vc-export-") as folder:
        graphs = export_graphs(student, quantized, Path(folder), facts, tier, selection, note)
        proof = prove(graphs, student, speech, limits, note)
        return write_release(path, graphs, proof, facts, speech, signer, note)


def rewrite_bundle(
    source: str | Path,
    path: str | Path,
    selection: Selection | None = None,
    *,
    speech: Samples | None = None,
    signer: Signer | None = None,
    note: Note = lambda line: None,
) -> Release:
    """Write a bundle anew with other formats or precisions, made of the graphs that it holds.

    Files are compared with each other as in `release_bundle`, whose errors this raises; INT8 is
    not held to limits again.
    """
    bundle = read_bundle(source)
    rate = bundle.manifest.sample_rate
    speech = example_speech(PARITY_SECONDS, rate) if speech is None else speech
    with tempfile.TemporaryDirectory(prefix="edge-vc-export-") as folder:
        graphs = take_graphs(bundle, Path(folder), selection or Selection())
        proof = prove(graphs, None, speech, ANY_INT8, note)
        return write_release(path, graphs, proof, bundle_facts(bundle), speech, signer, note)


def write_release(
    path: str | Path,
    graphs: GraphSet,
    proof: Proof,
    facts: BundleFacts,
    speech: Samples,
    signer: Signer | None = None,
    note: Note = lambda line: None,
) -> Release:
    """Write proven files as a bundle and race its precisions; see `release_bundle`."""
    measured = replace(facts, metrics={**facts.metrics, **proof_metrics(proof)})
    models = graphs.models("int8")
    written = write_bundle(path, measured, models, speech, signer)
    note("racing int8 against fp32")
    speedup = compare_precisions(written, speech)
    if speedup and all(speed.median < 1 for speed in speedup.values()):
        best = max(speed.median for speed in speedup.values())
        note(
            f"int8 is slower than fp32 on this machine ({best:.2f}x): "
            "the bundle keeps fp32 as its default"
        )
        models = graphs.models("fp32")
        written = write_bundle(path, measured, models, speech, signer)
    return Release(
        path=written,
        nodes={model.name: graph_facts(model.path).nodes for model in models},
        proof=proof,
        speedup=speedup,
        default=graph_facts(models[0].path).precision,
    )


def compare_precisions(bundle: str | Path, speech: Samples) -> dict[str, Ratio]:
    """Race a bundle's INT8 models against its fp32 models, tight and on one thread, by format.

    Formats that do not have both precisions are left out.
    """
    manifest = read_bundle(bundle).manifest
    have = {(model.format, model.precision) for model in manifest.models}
    raced = [f for f in FORMATS if {(f, "int8"), (f, "fp32")} <= have]
    sessions = {
        f"{precision}.{format}": Session.open(bundle, kind.name, precision=precision)
        for format in raced
        for kind in engines_for((format,))[:1]
        for precision in ("int8", "fp32")
    }
    if not sessions:
        return {}
    hop = manifest.hop
    count = min(speech.shape[0] // hop, 500)
    took = race(sessions, np.ascontiguousarray(speech[: count * hop]).reshape(count, hop))
    return {f: ratio(took[f"fp32.{f}"], took[f"int8.{f}"]) for f in raced}
