"""ONNX Runtime with I/O bindings that are created when the model is opened.

States are double-buffered: two sets of buffers alternate as input and output, each with its own
binding. A step is one library call without argument conversion.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.io_signature import check_signature
from edge_vc_runtime.engines.onnx_engine.library import ort
from edge_vc_runtime.engines.onnx_engine.saturation import kernels_saturate
from edge_vc_runtime.engines.requirement import check_requirement
from edge_vc_runtime.samples import Samples


class OnnxEngine:
    """One ONNX model on the CPU; see `edge_vc_runtime.engines.Engine`."""

    name = "onnx"
    library = "onnxruntime"
    version: str = ort.__version__

    def __init__(
        self,
        manifest: Manifest,
        model: ModelEntry,
        data: bytes,
        threads: int,
        options: ort.SessionOptions | None = None,
    ) -> None:
        check_requirement(manifest, self.library, self.version)
        self._session = open_session(model.file, data, options or session_options(threads))
        inputs, outputs = (
            {node.name: (tuple(node.shape), node.type) for node in side}
            for side in (self._session.get_inputs(), self._session.get_outputs())
        )
        check_signature(manifest, model.file, inputs, outputs, "tensor(float)")
        self.input: Samples = np.zeros(manifest.hop, np.float32)
        self.inputs = {spec.name: np.zeros(spec.size, np.float32) for spec in manifest.inputs}
        self._outputs = (np.zeros_like(self.input), np.zeros_like(self.input))
        self._states = tuple(
            [np.zeros(state.shape, np.float32) for state in manifest.states] for _ in range(2)
        )
        self.states = tuple(state.reshape(-1) for states in self._states for state in states)
        self._bindings = tuple(self._bind(manifest, turn) for turn in range(2))
        self._turn = 0

    def run(self) -> Samples:
        """Advance one hop; the returned ``[hop]`` is overwritten two calls later."""
        turn = self._turn
        self._session.run_with_iobinding(self._bindings[turn])
        self._turn = 1 - turn
        return self._outputs[turn]

    def reset(self) -> None:
        """Reset to silence: all states zero."""
        for states in self._states:
            for state in states:
                state.fill(0.0)
        self._turn = 0

    def end_profiling(self) -> str:
        """Return the path of the profile enabled by the session options."""
        return str(self._session.end_profiling())

    def _bind(self, manifest: Manifest, turn: int) -> ort.IOBinding:
        """Bind one turn: states are read from set ``turn`` and written to the other set."""
        binding = self._session.io_binding()
        audio = (1, 1, 1, manifest.hop)
        _bind_buffer(binding.bind_input, "audio", audio, self.input)
        _bind_buffer(binding.bind_output, "audio_out", audio, self._outputs[turn])
        for spec in manifest.inputs:
            buffer = self.inputs[spec.name]
            _bind_buffer(binding.bind_input, f"input.{spec.name}", spec.tensor_shape, buffer)
        for index, state in enumerate(manifest.states):
            before, after = self._states[turn][index], self._states[1 - turn][index]
            _bind_buffer(binding.bind_input, f"state.{state.name}", state.shape, before)
            _bind_buffer(binding.bind_output, f"next.{state.name}", state.shape, after)
        return binding


def session_options(threads: int) -> ort.SessionOptions:
    """Return options for a small model that shares its cores with an audio thread.

    Spinning workers would load and heat the cores between hops; with denormals, decaying states
    would be many times slower than speech.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 4  # errors are raised as exceptions, not printed to stderr
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # The arena rounds weights up to whole megabytes; outside it they only take what they need.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    if kernels_saturate():
        # The same integers, computed exactly in float: 15 % slower than the saturating kernels.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return options


def open_session(file: str, data: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    """Load a model from bytes, so that it cannot refer to other files.

    Raises `EngineError` if ONNX Runtime rejects it.
    """
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # each of ONNX Runtime's status codes is a separate class
        reason = " ".join(str(error).split())[:200]
        raise EngineError(f"{file}: onnxruntime {ort.__version__} refuses it: {reason}") from error


def _bind_buffer(
    bind: Callable[..., None], name: str, shape: tuple[int, ...], buffer: Samples
) -> None:
    bind(name, "cpu", 0, np.float32, shape, buffer.ctypes.data)
