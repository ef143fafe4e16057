"""Graph files to be put into a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc_export.metadata import GraphMetadata, graph_metadata


@dataclass(frozen=True)
class ModelFile:
    """One graph file for a bundle; its geometry is read from the file."""

    path: Path
    tier: str
    parameters: int
    macs_per_second: float
    """Multiply-accumulates per second of audio."""
    quantization: Mapping[str, object] | None = None

    @property
    def name(self) -> str:
        """File name inside the bundle."""
        graph = graph_metadata(self.path)
        return f"model.{graph.precision}.{graph.format}"


def common_geometry(models: Sequence[ModelFile]) -> GraphMetadata:
    """Return the metadata shared by all models, which one manifest describes.

    Raises `ValueError` for no models, two models with the same name, and models of different
    students.
    """
    if not models:
        raise ValueError("a bundle needs at least one model")
    found = [graph_metadata(model.path) for model in models]
    first = found[0]
    for model, facts in zip(models, found, strict=True):
        for key in ("sample_rate", "hop", "delay", "states", "inputs"):
            if getattr(facts, key) != getattr(first, key):
                raise ValueError(
                    f"{model.path}: {key} differs from that of {models[0].path}; models of one "
                    "bundle are forms of one student"
                )
    names = [model.name for model in models]
    if len(set(names)) != len(names):
        raise ValueError(f"two models are both {max(names, key=names.count)}: give one of each")
    return first


def by_precision(models: Sequence[ModelFile]) -> dict[str, list[Path]]:
    """Return the files of every precision; ONNX comes first, the others in the order given.

    The golden recording is the first one's output, so that what every engine must reproduce does
    not depend on the order of the bundle's formats.
    """
    found: dict[str, list[Path]] = {}
    for model in models:
        facts = graph_metadata(model.path)
        paths = found.setdefault(facts.precision, [])
        paths.insert(0 if facts.format == "onnx" else len(paths), model.path)
    return found
