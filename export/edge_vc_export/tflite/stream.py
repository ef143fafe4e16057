"""Stream a TFLite file hop by hop on the host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edge_vc_export.metadata import graph_metadata
from edge_vc_export.parity.stream import GraphStream, Samples
from edge_vc_export.tflite.file import TfliteFile
from edge_vc_runtime.engines.litert_engine.library import quiet_stderr


class TfliteStream(GraphStream):
    """A stream through LiteRT and XNNPACK; see `GraphStream`.

    Copies every state in every step; the board's `LitertEngine` does not.
    """

    def __init__(self, path: str | Path, probes: Sequence[str] = (), threads: int = 1) -> None:
        self.metadata = graph_metadata(path)
        self.probes = tuple(probes)
        data = TfliteFile.read(path).with_outputs(probes)
        with quiet_stderr():
            self._interpreter = Interpreter(model_content=data, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._inputs_at = {d["name"]: d["index"] for d in self._interpreter.get_input_details()}
        self._outputs = {d["name"]: d["index"] for d in self._interpreter.get_output_details()}
        self.default_inputs()
        self.reset()

    def reset(self) -> None:
        """Reset all states to silence."""
        self._states = {
            name: np.zeros(shape, np.float32) for name, shape in self.metadata.states.items()
        }

    def step(self, audio: Samples) -> tuple[Samples, ...]:
        """Advance one hop ``[hop]``; return audio ``[hop]`` and the probed tensors.

        Probed vectors have shape ``[1, C, 1, 1]``, as in ONNX.
        """
        block = np.ascontiguousarray(audio, np.float32).reshape(1, 1, 1, self.metadata.hop)
        self._interpreter.set_tensor(self._inputs_at["audio"], block)
        for name, value in self.conditioning.items():
            self._interpreter.set_tensor(self._inputs_at[name], value)
        for name, value in self._states.items():
            self._interpreter.set_tensor(self._inputs_at[f"state.{name}"], value)
        self._interpreter.invoke()
        self._states = {name: self._output(f"next.{name}") for name in self._states}
        probed = (_channels_first(self._output(name)) for name in self.probes)
        return (self._output("audio_out").reshape(-1), *probed)

    def state(self, name: str) -> Samples:
        """Return a state as the last step left it."""
        return self._states[name]

    def set_state(self, name: str, value: Samples) -> None:
        """Set a state for the next step."""
        self._states[name] = value.reshape(self.metadata.states[name])

    def _output(self, name: str) -> Any:
        return self._interpreter.get_tensor(self._outputs[name])


def _channels_first(array: Samples) -> Samples:
    return array.reshape(1, -1, 1, 1) if array.size == max(array.shape) else array
