"""Stream a graph file hop by hop with a board's engine settings, optionally probing tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from edge_vc_export.metadata import GraphMetadata, graph_metadata
from edge_vc_runtime.engines.onnx_engine.engine import session_options
from edge_vc_runtime.engines.onnx_engine.library import ort

Samples = NDArray[np.float32]


class GraphStream(ABC):
    """Streams audio through a graph file with the settings of a board's engine.

    ``probes`` are tensors inside the graph to collect as well; an engine then fuses less
    around them, but computes the same values.
    """

    metadata: GraphMetadata

    @abstractmethod
    def reset(self) -> None:
        """Reset all states to silence."""

    @abstractmethod
    def step(self, audio: Samples) -> tuple[Samples, ...]:
        """Advance one hop ``[hop]``; return audio ``[hop]`` and the probed tensors."""

    def set_inputs(self, values: Mapping[str, Samples]) -> None:
        """Set conditioning inputs, ``[size]`` by name, for all following steps."""
        for name, value in values.items():
            self._inputs[name] = np.ascontiguousarray(value, np.float32).reshape(1, -1, 1, 1)

    def default_inputs(self) -> None:
        """Reset every conditioning input to its default."""
        self._inputs: dict[str, Samples] = {}
        specs = self.metadata.inputs
        self.set_inputs({spec.name: np.array(spec.default, np.float32) for spec in specs})

    @property
    def conditioning(self) -> dict[str, Samples]:
        """Conditioning values by the names of the graph's inputs."""
        return {f"input.{name}": value for name, value in self._inputs.items()}

    @abstractmethod
    def state(self, name: str) -> Samples:
        """Return a state as the last step left it."""

    @abstractmethod
    def set_state(self, name: str, value: Samples) -> None:
        """Set the value of a state for the next step."""

    def run(self, audio: Samples) -> tuple[Samples, ...]:
        """Stream ``[T]`` from silence; return audio and probes concatenated along time.

        Audio is ``[T]`` with ``T`` cut to whole hops, delayed by the graph's `delay` samples;
        a probed ``[1, C, 1, F]`` becomes ``[1, C, 1, hops * F]``.
        """
        hop = self.metadata.hop
        hops = audio.shape[0] // hop
        if not hops:
            raise ValueError(f"audio has {audio.shape[0]} samples, less than one hop of {hop}")
        self.reset()
        steps = [self.step(audio[i * hop : (i + 1) * hop]) for i in range(hops)]
        joined = (np.concatenate(parts, axis=-1) for parts in zip(*steps, strict=True))
        return tuple(joined)


class OnnxStream(GraphStream):
    """A stream through ONNX Runtime; see `GraphStream`."""

    def __init__(self, path: str | Path, probes: Sequence[str] = (), threads: int = 1) -> None:
        self.metadata = graph_metadata(path)
        model = onnx.load(path)
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in probes)
        self._session = ort.InferenceSession(
            model.SerializeToString(), session_options(threads), ["CPUExecutionProvider"]
        )
        self.default_inputs()
        self._states = tuple(f"state.{name}" for name in self.metadata.states)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.probes = tuple(probes)
        self.reset()

    def reset(self) -> None:
        """Return to silence."""
        shapes = self.metadata.states.values()
        self._feeds = {
            name: np.zeros(shape, np.float32)
            for name, shape in zip(self._states, shapes, strict=True)
        }

    def step(self, audio: Samples) -> tuple[Samples, ...]:
        """Advance one hop ``[hop]``; return audio ``[hop]`` and the probed tensors."""
        block = np.ascontiguousarray(audio, np.float32).reshape(1, 1, 1, self.metadata.hop)
        values = self._session.run(
            self._outputs, {**self._feeds, **self.conditioning, "audio": block}
        )
        count = len(self._states)
        self._feeds = dict(zip(self._states, values[1 : 1 + count], strict=True))
        return (values[0].reshape(-1), *values[1 + count :])

    def state(self, name: str) -> Samples:
        """Return a state as the last step left it."""
        return self._feeds[f"state.{name}"]

    def set_state(self, name: str, value: Samples) -> None:
        """Set the value of a state for the next step."""
        self._feeds[f"state.{name}"] = value.reshape(self.metadata.states[name])
