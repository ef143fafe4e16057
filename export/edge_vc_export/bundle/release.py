"""Make a bundle from students in one call: export, verify, write, measure."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc.audio.io import Samples
from edge_vc.models.student.student import Student
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.graph_set import GraphSet, export_graphs
from edge_vc_export.bundle.rebundle import bundle_facts, take_graphs
from edge_vc_export.bundle.selection import Selection
from edge_vc_export.bundle.writer import write_bundle
from edge_vc_export.formats import DYNAMIC
from edge_vc_export.metadata import graph_metadata
from edge_vc_export.parity.int8 import Int8Limits
from edge_vc_export.parity.speech import example_speech
from edge_vc_export.parity.speed import Ratio, compare_precisions
from edge_vc_export.parity.verify import Verification, verify
from edge_vc_export.signing.signer import Signer
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.vetting.bundle_check import check_bundle

PARITY_SECONDS = 30.0
"""Duration of speech over which every file is compared."""
DEFAULT_PRECISION = "int8"
"""What a board runs unless another precision is requested; fp32 in bundles without it."""
ANY_INT8 = Int8Limits(least_snr_db=0.0, largest_distance_db=60.0, largest_drift_db=60.0)
"""Limits that every INT8 file meets, for already checked bundles and forced exports."""

Note = Callable[[str], None]
"""Called with one line about the next step or a finding."""


@dataclass(frozen=True)
class Release:
    """A written bundle and the measurements made for it."""

    path: Path
    nodes: dict[str, int]
    """Number of nodes of each file, by its name in the bundle."""
    verification: Verification
    speedup: dict[str, Ratio]
    """Speed of INT8 relative to fp32 on this machine, back to back, by format."""
    default: str
    """Precision of the bundle's default model."""

    @property
    def metrics(self) -> dict[str, float]:
        """All figures as a flat dict, as stored in a run folder; the worst over all formats."""
        found = {f"nodes_{name}": float(count) for name, count in self.nodes.items()}
        if fp32 := self.verification.fp32.values():
            found["fp32_offline"] = max(parity.offline for parity in fp32)
            found["fp32_streaming"] = max(parity.streaming for parity in fp32)
        if int8 := [p for name, p in self.verification.int8.items() if name != DYNAMIC]:
            found["trunk_snr_db"] = min(parity.trunk_snr_db for parity in int8)
            found["drift_db"] = max(parity.drift_db for parity in int8)
            found["lsd_db"] = max(parity.lsd_db for parity in int8)
        if agreement := self.verification.cross_format.values():
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

    Every file is compared with its source over ``speech`` ``[T]`` at the student's rate (30 s of
    varied human speech by default), and the formats with each other. INT8 is the bundle's default
    if it is written. Speed and file differences on this machine are measured but not stored in the
    bundle: the same inputs give the same bytes on fast and slow machines.

    Raises `FormatError` before any work for a selection that cannot be written, and `ParityError`
    if a file differs from its student; then nothing is written.
    """
    selection = selection or Selection()
    selection.check(quantized is not None)
    rate = student.config.sample_rate
    speech = example_speech(PARITY_SECONDS, rate) if speech is None else speech
    with tempfile.TemporaryDirectory(prefix="edge-vc-export-") as folder:
        graphs = export_graphs(student, quantized, Path(folder), facts, tier, selection, note)
        verification = verify(graphs, student, speech, limits, note)
        return write_release(path, graphs, verification, facts, speech, signer, note)


def rewrite_bundle(
    source: Bundle | str | Path,
    path: str | Path,
    selection: Selection | None = None,
    *,
    recovering: bool = False,
    speech: Samples | None = None,
    signer: Signer | None = None,
    note: Note = lambda line: None,
) -> Release:
    """Rewrite a bundle with other formats or precisions, made from the graphs in it.

    Files are compared with each other as in `release_bundle`, whose errors this raises; INT8
    limits are not checked again. For a bundle with several tiers this uses the default one.
    ``recovering`` puts the weights behind the running mean that recovers from loud events.
    """
    bundle = source if isinstance(source, Bundle) else read_bundle(source).tier()
    check_bundle(bundle)
    rate = bundle.manifest.sample_rate
    speech = example_speech(PARITY_SECONDS, rate) if speech is None else speech
    with tempfile.TemporaryDirectory(prefix="edge-vc-export-") as folder:
        chosen = selection or Selection()
        graphs = take_graphs(bundle, Path(folder), chosen, recovering=recovering)
        verification = verify(graphs, None, speech, ANY_INT8, note)
        facts = bundle_facts(bundle)
        if recovering:
            facts = replace(facts, provenance={**facts.provenance, "channel_norm": "recovering"})
        return write_release(path, graphs, verification, facts, speech, signer, note)


def write_release(
    path: str | Path,
    graphs: GraphSet,
    verification: Verification,
    facts: BundleFacts,
    speech: Samples,
    signer: Signer | None = None,
    note: Note = lambda line: None,
) -> Release:
    """Write verified files as a bundle and time its precisions; see `release_bundle`."""
    models = graphs.models(DEFAULT_PRECISION)
    written = write_bundle(path, facts, models, speech, signer)
    note("timing int8 against fp32")
    speedup = compare_precisions(written, speech)
    if speedup and all(speed.median < 1 for speed in speedup.values()):
        best = max(speed.median for speed in speedup.values())
        note(f"int8 is slower than fp32 on this machine ({best:.2f}x); it stays the default")
    return Release(
        path=written,
        nodes={model.name: graph_metadata(model.path).nodes for model in models},
        verification=verification,
        speedup=speedup,
        default=graph_metadata(models[0].path).precision,
    )
