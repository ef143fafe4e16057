"""Graph files on their way into a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc_export.metadata import GraphMetadata, graph_metadata


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
        graph = graph_metadata(self.path)
        return f"model.{graph.precision}.{graph.format}"


def common_geometry(models: Sequence[ModelFile]) -> GraphMetadata:
    """Return the metadata that all models share: one manifest describes them all.

    Raises `ValueError` for no model, two of one name, and models of different students.
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


def one_each(models: Sequence[ModelFile]) -> dict[str, Path]:
    """Return one file of every precision to record the golden with: ONNX where there is one.

    So what every engine has to reproduce does not depend on the formats in the bundle.
    """
    found: dict[str, Path] = {}
    for model in models:
        facts = graph_metadata(model.path)
        if facts.format == "onnx" or facts.precision not in found:
            found[facts.precision] = model.path
    return found
