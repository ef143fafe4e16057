"""The I/O signature that a manifest declares for every model file, regardless of format."""

from __future__ import annotations

from collections.abc import Mapping

from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineError

Shape = tuple[int, ...]
Found = tuple[Shape, str]
"""Shape and type, by the library's name, of one input or output."""


def signature_shapes(manifest: Manifest) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Return the shapes of the inputs and those of the outputs, by name."""
    audio = (1, 1, 1, manifest.hop)
    inputs = {"audio": audio} | {f"state.{s.name}": s.shape for s in manifest.states}
    inputs |= {f"input.{i.name}": i.tensor_shape for i in manifest.inputs}
    outputs = {"audio_out": audio} | {f"next.{s.name}": s.shape for s in manifest.states}
    return inputs, outputs


def check_signature(
    manifest: Manifest,
    file: str,
    inputs: Mapping[str, Found],
    outputs: Mapping[str, Found],
    real: str,
) -> None:
    """Raise `EngineError` unless a graph has exactly the manifest's inputs and outputs.

    ``real`` is the library's name for float32. Buffers are bound by address, so a graph that
    differs from its manifest must not run.
    """
    for declared, found in zip(signature_shapes(manifest), (inputs, outputs), strict=True):
        for name in sorted(declared.keys() ^ found.keys()):
            where = "manifest" if name in declared else "graph"
            raise EngineError(f"{file}: {name} is only in the {where}; export the bundle again")
        for name, shape in declared.items():
            if found[name] != (shape, real):
                has, kind = found[name]
                raise EngineError(
                    f"{file}: {name} is {kind} {list(has)}, the manifest says float {list(shape)}"
                )
