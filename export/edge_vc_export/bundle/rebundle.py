"""Rewrite a bundle in other formats or precisions, from the graphs in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge_vc_export.bundle.card import card_attribution
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.graph_set import GraphFile, GraphSet
from edge_vc_export.bundle.model_file import ModelFile
from edge_vc_export.bundle.selection import Selection
from edge_vc_export.formats import DYNAMIC, FORMATS, FormatError
from edge_vc_export.onnx.recovering_norm import with_recovering_graph
from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.files.writing import write_whole

_OF_FILES = "int8_"
"""Prefix of figures measured on files that the new bundle may not contain."""


def take_graphs(
    bundle: Bundle, folder: Path, selection: Selection, *, recovering: bool = False
) -> GraphSet:
    """Write the selected files into ``folder``: ONNX unchanged, TFLite converted from it.

    ``recovering`` puts ONNX behind the running mean that recovers, see `with_recovering_graph`.

    Raises `FormatError` for a bundle whose ONNX graphs do not cover the selection.
    """
    entries = {m.precision: m for m in bundle.manifest.models if m.format == "onnx"}
    selection.check("int8" in entries)
    files = []
    for precision in dict.fromkeys((*selection.precisions, "fp32")):
        entry = entries.get("fp32" if precision == DYNAMIC else precision)
        if entry is None:
            if precision == "int8":
                continue  # a float bundle stays a float bundle
            raise FormatError(f"{bundle.path}: has no {precision} model as ONNX to start from")
        data = bundle.read(entry.file)
        if recovering:
            data = with_recovering_graph(data)
        files += _of_precision(data, entry, precision, folder, selection)
    return GraphSet(files)


def _of_precision(
    data: bytes, entry: ModelEntry, precision: str, folder: Path, selection: Selection
) -> list[GraphFile]:
    source = folder / f"{entry.precision}.onnx"
    write_whole(source, data)
    model = ModelFile(
        source, entry.tier, entry.parameters, entry.macs_per_second, entry.quantization
    )
    files = []
    for format in FORMATS:
        wanted = selection.has(precision, format)
        if format == "onnx" and precision != DYNAMIC:
            files.append(GraphFile(precision, format, model, wanted))
        elif format == "tflite" and (wanted or selection.compares(precision, format)):
            from edge_vc_export.tflite import convert_onnx  # needs the extra `tflite`

            path = folder / f"{precision}.tflite"
            convert_onnx(source, path, precision)
            files.append(GraphFile(precision, format, replace(model, path=path), wanted))
    return files


def bundle_facts(bundle: Bundle) -> BundleFacts:
    """Return a bundle's facts about itself besides its models' geometry.

    Figures of its quantised files are omitted, since they are measured again; all others are kept.
    """
    manifest = bundle.manifest
    card = bundle.read("MODEL_CARD.md").decode() if "MODEL_CARD.md" in manifest.files else ""
    return BundleFacts(
        name=manifest.name,
        version=manifest.version,
        licence=manifest.licence,
        consent=manifest.consent,
        licence_text=bundle.read("LICENSE").decode() if "LICENSE" in manifest.files else "",
        boards=manifest.boards,
        metrics={k: v for k, v in manifest.metrics.items() if not k.startswith(_OF_FILES)},
        provenance=manifest.provenance,
        attribution=card_attribution(card),
    )
