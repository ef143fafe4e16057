"""Writing a bundle: the files, what they are, their hashes, in one archive of fixed bytes."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc.audio.io import Samples
from edge_vc_export.bundle.card import model_card
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.signing import Signer
from edge_vc_export.metadata import GraphMetadata, graph_metadata
from edge_vc_export.parity.golden import TOLERANCES, npz_bytes, record_golden
from edge_vc_runtime.bundle.entries import FileEntry, Golden, ModelEntry, StateSpec
from edge_vc_runtime.bundle.manifest import MANIFEST_NAME, SIGNATURE_NAME, Manifest
from edge_vc_runtime.bundle.reader import BundleError, read_bundle
from edge_vc_runtime.engines import least_versions

GOLDEN, CARD, LICENCE = "golden.npz", "MODEL_CARD.md", "LICENSE"


@dataclass(frozen=True)
class ModelFile:
    """One graph that goes into a bundle; its geometry is read from the file."""

    path: Path
    tier: str
    parameters: int
    macs_per_second: float
    """Multiply-accumulates per second of audio."""
    quantization: Mapping[str, object] | None = None

    @property
    def name(self) -> str:
        """Name inside the bundle."""
        facts = graph_metadata(self.path)
        return f"model.{facts.precision}.{facts.format}"


def write_bundle(
    path: str | Path,
    facts: BundleFacts,
    models: Sequence[ModelFile],
    golden_input: Samples | None = None,
    signer: Signer | None = None,
) -> Path:
    """Write a bundle whole or not at all; the first model is its default.

    ``golden_input`` ``[T]`` is speech at the models' rate that is recorded through each of them.
    The same inputs give the same bytes. The result is read back before it gets its name.
    Raises `ValueError` for models that do not belong together and `BundleError` for facts that
    no reader would accept.
    """
    path = Path(path)
    geometry = _common_geometry(models)
    files = {model.name: model.path.read_bytes() for model in models}
    golden = None
    if golden_input is not None:
        by_precision = _one_each(models)
        files[GOLDEN] = npz_bytes(record_golden(by_precision, golden_input))
        golden = Golden(GOLDEN, {name: TOLERANCES[name] for name in sorted(by_precision)})
    entries = tuple(_entry(model) for model in models)
    files[CARD] = model_card(facts, geometry, entries).encode()
    files[LICENCE] = facts.licence_text.encode()
    manifest = _manifest(facts, geometry, entries, golden, files)
    content = manifest.to_json()
    Manifest.from_json(content)  # whatever a reader refuses is refused here
    members = {MANIFEST_NAME: content}
    if signer is not None:
        members[SIGNATURE_NAME] = signer(content)
    return _commit(path, archive_bytes(members | files))


def archive_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return a ustar archive of ``members`` in their order, without times or owners."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 0
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def _common_geometry(models: Sequence[ModelFile]) -> GraphMetadata:
    """Return the facts that all models share; one manifest describes them all."""
    if not models:
        raise ValueError("a bundle needs at least one model")
    found = [graph_metadata(model.path) for model in models]
    first = found[0]
    for model, facts in zip(models, found, strict=True):
        for key in ("sample_rate", "hop", "delay", "states"):
            if getattr(facts, key) != getattr(first, key):
                raise ValueError(
                    f"{model.path}: {key} differs from that of {models[0].path}; models of one "
                    "bundle are forms of one student"
                )
    names = [model.name for model in models]
    if len(set(names)) != len(names):
        raise ValueError(f"two models are both {max(names, key=names.count)}: give one of each")
    return first


def _one_each(models: Sequence[ModelFile]) -> dict[str, Path]:
    """Return one file of every precision to record with: ONNX where there is one.

    What every other engine has to reproduce does not depend on which formats are there.
    """
    found: dict[str, Path] = {}
    for model in models:
        facts = graph_metadata(model.path)
        if facts.format == "onnx" or facts.precision not in found:
            found[facts.precision] = model.path
    return found


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
    )


def _commit(path: Path, data: bytes) -> Path:
    """Write beside the target, read it back, then rename."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        read_bundle(part)
        os.replace(part, path)
    except BundleError:
        raise
    except OSError as error:
        raise BundleError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        part.unlink(missing_ok=True)
    return path
