"""LiteRT with XNNPACK; states are copied within the interpreter's own memory.

A step is the library's ``invoke`` and one copy per group of adjacent states, from the graph's
outputs to its inputs. LiteRT's newer ``CompiledModel`` runs on the caller's buffers and needs no
copy, but for a student's 16 states it takes 13 us per call compared to 4 here (measured on x86-64),
and tflite-runtime does not have it.

XNNPACK flushes denormals to zero itself, so a decaying state does not become slow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.io_signature import signature_shapes
from edge_vc_runtime.engines.litert_engine.checked_graph import read_checked
from edge_vc_runtime.engines.litert_engine.library import (
    ANCESTOR,
    CURRENT,
    Library,
    load_library,
    quiet_stderr,
)
from edge_vc_runtime.engines.litert_engine.memory import (
    Move,
    Region,
    find_region,
    merge_moves,
    view_bytes,
)
from edge_vc_runtime.engines.litert_engine.tflite_graph import TfliteGraph
from edge_vc_runtime.engines.litert_engine.tflite_operators import DENSE
from edge_vc_runtime.engines.requirement import check_requirement
from edge_vc_runtime.samples import Samples

_ALL = slice(None)


class LitertEngine:
    """One TFLite model on the CPU; see `edge_vc_runtime.engines.Engine`."""

    name = "litert"

    def __init__(
        self,
        manifest: Manifest,
        model: ModelEntry,
        data: bytes,
        threads: int,
        library: Library | None = None,
    ) -> None:
        library = library or load_library()
        self.library, self.version = library.name, library.version
        check_requirement(manifest, library.name, library.version)
        graph = read_checked(manifest, model.file, data)
        if library.name == ANCESTOR:
            _refuse_dynamic(graph, model.file)
        self._turn = 0
        self._file = f"{model.file}: {library.name} {library.version}"
        interpreter = self._open(library, data, threads)
        self._invoke = interpreter.invoke
        self._bind(manifest, graph, interpreter)

    def run(self) -> Samples:
        """Advance one hop; the returned ``[hop]`` is overwritten two calls later."""
        try:
            self._invoke()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self._file} cannot run it: {_line(error)}") from error
        for state, after in self._moves:
            state[_ALL] = after
        turn = self._turn
        self._results[turn][_ALL] = self._result
        self._turn = 1 - turn
        return self._outputs[turn]

    def reset(self) -> None:
        """Reset to silence: all states zero."""
        for state, _ in self._moves:
            np.asarray(state).fill(0)
        self._turn = 0

    def _open(self, library: Library, data: bytes, threads: int) -> Any:
        """Return an interpreter that has run once, so that lazy allocation is complete."""
        try:
            with quiet_stderr():
                interpreter = library.interpreter(model_content=data, num_threads=threads)
                interpreter.allocate_tensors()
                interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"{self._file} refuses it: {_line(error)}") from error
        return interpreter

    def _bind(self, manifest: Manifest, graph: TfliteGraph, interpreter: Any) -> None:
        """Locate inputs, outputs and states, and allocate every buffer that `run` needs."""
        shapes = signature_shapes(manifest)
        found = [
            {name: self._find(interpreter, side[name], shape) for name, shape in wanted.items()}
            for side, wanted in zip((graph.inputs, graph.outputs), shapes, strict=True)
        ]
        inputs, outputs = found
        moves = merge_moves(
            Move(outputs[f"next.{s.name}"].address, region.address, region.size)
            for s in manifest.states
            for region in (inputs[f"state.{s.name}"],)
        )
        self.input: Samples = np.frombuffer(view_bytes(interpreter, inputs["audio"]), np.float32)
        self.inputs = {
            spec.name: np.frombuffer(
                view_bytes(interpreter, inputs[f"input.{spec.name}"]), np.float32
            )
            for spec in manifest.inputs
        }
        self._result = view_bytes(interpreter, outputs["audio_out"])
        self._moves = [
            tuple(
                view_bytes(interpreter, Region(address, move.size))
                for address in (move.target, move.source)
            )
            for move in moves
        ]
        self.states = tuple(
            np.frombuffer(view_bytes(interpreter, inputs[f"state.{state.name}"]), np.float32)
            for state in manifest.states
        )
        self._outputs = tuple(np.zeros(manifest.hop, np.float32) for _ in range(2))
        self._results = tuple(output.view(np.uint8).data for output in self._outputs)
        self.input.fill(0.0)
        self.reset()

    def _find(self, interpreter: Any, index: int, shape: tuple[int, ...]) -> Region:
        try:
            region = find_region(interpreter, index)
        except ValueError as error:
            raise EngineError(f"{self._file} gives it no memory: {_line(error)}") from error
        if region.size != 4 * np.prod(shape, dtype=np.int64):
            raise EngineError(
                f"{self._file} sees {region.size} bytes, the manifest says {list(shape)}"
            )
        return region


def _refuse_dynamic(graph: TfliteGraph, file: str) -> None:
    """Reject dynamically quantised dense layers, which tflite-runtime computes wrongly."""
    output = graph.dynamic_layer()
    if output:
        raise EngineError(
            f"{file}: {ANCESTOR} gets {DENSE} {output!r:.80} wrong (whole-number weights, float "
            f"input): pip install {CURRENT}, take the fp32 model, or quantise it statically"
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
