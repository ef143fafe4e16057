"""A graph file run as a board runs it, hop by hop, with any tensor of it laid open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from edge_vc_runtime.engines.onnx import session_options

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class GraphFacts:
    """What a graph file says about itself."""

    name: str
    precision: str
    sample_rate: int
    """Hz."""
    hop: int
    """Samples per run."""
    delay: int
    """Look-ahead in samples."""
    licence: str
    states: Mapping[str, tuple[int, ...]]
    """Shapes by name, in the graph's order."""
    nodes: int
    quantized_convolutions: int
    """Convolutions whose weights and activations are integers."""


def graph_facts(path: str | Path) -> GraphFacts:
    """Read the facts of a graph that `export_onnx` wrote; `ValueError` for any other."""
    model = onnx.load(path)
    said = {entry.key: entry.value for entry in model.metadata_props}
    if "edge_vc.hop" not in said:
        raise ValueError(f"{path}: carries no edge_vc facts, it was not exported by edge-vc")
    made_by = {output: node.op_type for node in model.graph.node for output in node.output}
    integer = [
        node
        for node in model.graph.node
        if node.op_type == "Conv"
        and all(made_by.get(name) == "DequantizeLinear" for name in node.input[:2])
    ]
    shapes = {
        value.name.removeprefix("state."): tuple(
            size.dim_value for size in value.type.tensor_type.shape.dim
        )
        for value in model.graph.input
        if value.name.startswith("state.")
    }
    return GraphFacts(
        name=said["edge_vc.name"],
        precision=said["edge_vc.precision"],
        sample_rate=int(said["edge_vc.sample_rate"]),
        hop=int(said["edge_vc.hop"]),
        delay=int(said["edge_vc.delay"]),
        licence=said["edge_vc.licence"],
        states=shapes,
        nodes=len(model.graph.node),
        quantized_convolutions=len(integer),
    )


class OnnxStream:
    """Streams audio through a graph file with the settings of the board's engine.

    ``probes`` are tensors inside the graph to collect as well; an engine then fuses less
    around them, but computes the same.
    """

    def __init__(self, path: str | Path, probes: Sequence[str] = (), threads: int = 1) -> None:
        self.facts = graph_facts(path)
        model = onnx.load(path)
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in probes)
        self._session = ort.InferenceSession(
            model.SerializeToString(), session_options(threads), ["CPUExecutionProvider"]
        )
        self._states = tuple(f"state.{name}" for name in self.facts.states)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.probes = tuple(probes)
        self.reset()

    def reset(self) -> None:
        """Return to silence."""
        shapes = self.facts.states.values()
        self._feeds = {
            name: np.zeros(shape, np.float32)
            for name, shape in zip(self._states, shapes, strict=True)
        }

    def step(self, audio: Samples) -> tuple[Samples, ...]:
        """Advance one hop ``[hop]``; return audio ``[hop]`` and the probed tensors."""
        block = np.ascontiguousarray(audio, np.float32).reshape(1, 1, 1, self.facts.hop)
        values = self._session.run(self._outputs, self._feeds | {"audio": block})
        count = len(self._states)
        self._feeds = dict(zip(self._states, values[1 : 1 + count], strict=True))
        return (values[0].reshape(-1), *values[1 + count :])

    def state(self, name: str) -> Samples:
        """Return a state as the last step left it."""
        return self._feeds[f"state.{name}"]

    def run(self, audio: Samples) -> tuple[Samples, ...]:
        """Stream ``[T]`` from silence; return audio and probes joined along time.

        Audio is ``[T]`` with ``T`` cut to whole hops, `delay` samples late as the graph gives
        it; a probed ``[1, C, 1, F]`` becomes ``[1, C, 1, hops * F]``.
        """
        hop = self.facts.hop
        hops = audio.shape[0] // hop
        if not hops:
            raise ValueError(f"audio has {audio.shape[0]} samples, less than one hop of {hop}")
        self.reset()
        steps = [self.step(audio[i * hop : (i + 1) * hop]) for i in range(hops)]
        joined = (np.concatenate(parts, axis=-1) for parts in zip(*steps, strict=True))
        return tuple(joined)
