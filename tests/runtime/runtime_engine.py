"""An engine of somebody else's: reads ONNX bundles of `runtime_bundles`, needs no library."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines import EngineFactory, EngineKind, EngineLibrary, OpTime
from edge_vc_runtime.samples import Samples


class PlainDelay:
    """Delays its input by the manifest's delay, at full level whatever the precision."""

    name = "plain"
    library = "plainlib"
    version = "3.2.1"

    def __init__(self, manifest: Manifest, model: ModelEntry, data: bytes, threads: int) -> None:
        assert model.format == "onnx"
        self.input = np.zeros(manifest.hop, np.float32)
        self._line = np.zeros(manifest.delay + manifest.hop, np.float32)
        self._outputs = [np.zeros(manifest.hop, np.float32) for _ in range(2)]

    def run(self) -> Samples:
        """Advance one hop."""
        hop = self.input.size
        self._line[:-hop] = self._line[hop:]
        self._line[-hop:] = self.input
        self._outputs.reverse()
        self._outputs[0][:] = self._line[:hop]
        return self._outputs[0]

    def reset(self) -> None:
        """Return to silence."""
        self._line.fill(0.0)


def load() -> EngineFactory:
    """Import nothing."""
    return PlainDelay


def op_times(
    manifest: Manifest, model: ModelEntry, data: bytes, threads: int, hops: Samples
) -> tuple[OpTime, ...]:
    """Return one kind of node."""
    return (OpTime("PlainCopy", 2, 1.5, 1.0),)


PLAIN = EngineKind(
    name="plain",
    formats=("onnx",),
    libraries=(EngineLibrary("plainlib", "3.0", lambda name: "3.2.1"),),
    load=load,
    remedy="pip install plainlib",
    wheels={"3.11": {"plainlib": "3.2.1"}},
    op_times=op_times,
    op_method="by hand",
)
