"""Write a bundle: models, golden recording, card and licence, listed in a signed manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc_export.bundle.archive import archive_bytes, commit_bundle
from edge_vc_export.bundle.card import model_card
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.model_file import ModelFile, by_precision, common_geometry
from edge_vc_export.metadata import GraphMetadata, graph_metadata
from edge_vc_export.parity.golden import TOLERANCES, agreeing_piece, npz_bytes, record_golden
from edge_vc_export.signing.signer import Signer
from edge_vc_runtime.bundle.entries import FileEntry, Golden, ModelEntry, StateSpec
from edge_vc_runtime.bundle.manifest import MANIFEST_NAME, SIGNATURE_NAME, Manifest, format_version
from edge_vc_runtime.engines import least_versions

GOLDEN, CARD, LICENCE = "golden.npz", "MODEL_CARD.md", "LICENSE"


def write_bundle(
    path: str | Path,
    facts: BundleFacts,
    models: Sequence[ModelFile],
    golden_input: Samples | None = None,
    signer: Signer | None = None,
) -> Path:
    """Write a bundle completely or not at all; the first model is its default.

    ``golden_input`` ``[T]`` is speech at the models' rate, converted by each of them for the
    golden recording. The same inputs give the same bytes. The result is read back before it is
    renamed to ``path``. Raises `ValueError` for models that do not belong together and
    `BundleError` for facts that no reader would accept.
    """
    path = Path(path)
    geometry = common_geometry(models)
    files = {model.name: model.path.read_bytes() for model in models}
    golden = None
    if golden_input is not None:
        spoken = np.clip(golden_input, -1.0, 1.0)  # as a session clips its input
        formats = by_precision(models)
        first = {precision: paths[0] for precision, paths in formats.items()}
        files[GOLDEN] = npz_bytes(record_golden(first, agreeing_piece(formats, spoken)))
        golden = Golden(GOLDEN, {name: TOLERANCES[name] for name in sorted(formats)})
    entries = tuple(_entry(model) for model in models)
    files[CARD] = model_card(facts, geometry, entries).encode()
    files[LICENCE] = facts.licence_text.encode()
    manifest = _manifest(facts, geometry, entries, golden, files)
    content = manifest.to_json()
    Manifest.from_json(content)  # reject whatever a reader would reject
    members = {MANIFEST_NAME: content}
    if signer is not None:
        members[SIGNATURE_NAME] = signer(content)
    return commit_bundle(path, archive_bytes(members | files))


def _entry(model: ModelFile) -> ModelEntry:
    facts = graph_metadata(model.path)
    return ModelEntry(
        file=model.name,
        format=facts.format,
        precision=facts.precision,
        tier=model.tier,
        parameters=model.parameters,
        macs_per_second=model.macs_per_second,
        quantization=model.quantization,
    )


def _manifest(
    facts: BundleFacts,
    geometry: GraphMetadata,
    entries: tuple[ModelEntry, ...],
    golden: Golden | None,
    files: Mapping[str, bytes],
) -> Manifest:
    return Manifest(
        name=facts.name,
        version=facts.version,
        sample_rate=geometry.sample_rate,
        hop=geometry.hop,
        delay=geometry.delay,
        states=tuple(StateSpec(name, shape) for name, shape in geometry.states.items()),
        models=entries,
        default=entries[0].file,
        files={
            name: FileEntry(hashlib.sha256(data).hexdigest(), len(data))
            for name, data in files.items()
        },
        licence=facts.licence,
        consent=facts.consent,
        golden=golden,
        runtimes={
            name: version
            for format in sorted({entry.format for entry in entries})
            for name, version in least_versions(format).items()
        },
        boards=facts.boards,
        metrics=dict(facts.metrics),
        provenance=dict(facts.provenance),
        inputs=geometry.inputs,
        format_version=format_version((), geometry.inputs),
    )
