"""ONNX Runtime on a GPU: states stay on the device, only the audio of a hop is copied.

Two sets of states alternate as input and output, each with its own binding, as on the CPU. The
hop's input is copied to a buffer on the device before the run; the run copies its output to a host
buffer. No node may fall back to the CPU: states would be copied twice per hop.

Not run on a Jetson or any other GPU yet: tests run this code with the CPU as its device.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.io_signature import check_signature
from edge_vc_runtime.engines.onnx_engine.library import ort
from edge_vc_runtime.engines.tensorrt_engine.providers import Provider, gpu_providers
from edge_vc_runtime.samples import Samples


class TensorrtEngine:
    """One ONNX model on a device; see `edge_vc_runtime.engines.Engine`."""

    name = "tensorrt"
    library = "onnxruntime-gpu"
    version: str = ort.__version__

    def __init__(
        self,
        manifest: Manifest,
        model: ModelEntry,
        data: bytes,
        threads: int,
        providers: list[Provider] | None = None,
        device: str = "cuda",
    ) -> None:
        """Load a model; ``providers`` and ``device`` can be changed for tests without a GPU.

        Raises `EngineError` for an INT8 model, or if ONNX Runtime rejects it.
        """
        if model.precision != "fp32":
            raise EngineError(
                f"{model.file}: is {model.precision}, and engine tensorrt runs fp32 only: TensorRT "
                "wants zero points of zero"
            )
        providers = gpu_providers() if providers is None else providers
        self._session = _open(model.file, data, threads, providers, device)
        inputs, outputs = (
            {node.name: (tuple(node.shape), node.type) for node in side}
            for side in (self._session.get_inputs(), self._session.get_outputs())
        )
        check_signature(manifest, model.file, inputs, outputs, "tensor(float)")
        self.input: Samples = np.zeros(manifest.hop, np.float32)
        self._outputs = (np.zeros_like(self.input), np.zeros_like(self.input))
        self._hop = self.input.reshape(1, 1, 1, manifest.hop)
        self._audio = _buffer(self._hop, device)
        self._silence = [np.zeros(state.shape, np.float32) for state in manifest.states]
        self._states = tuple([_buffer(zeros, device) for zeros in self._silence] for _ in range(2))
        names = [state.name for state in manifest.states]
        self._bindings = tuple(self._bind(names, turn) for turn in range(2))
        self._turn = 0

    def run(self) -> Samples:
        """Advance one hop; the returned ``[hop]`` is overwritten two calls later."""
        turn = self._turn
        self._audio.update_inplace(self._hop)
        binding = self._bindings[turn]
        self._session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        self._turn = 1 - turn
        return self._outputs[turn]

    def reset(self) -> None:
        """Reset to silence: all states zero."""
        for states in self._states:
            for state, zeros in zip(states, self._silence, strict=True):
                state.update_inplace(zeros)
        self._turn = 0

    def _bind(self, names: list[str], turn: int) -> ort.IOBinding:
        """Bind one turn: states are read from set ``turn`` and written to the other set."""
        binding = self._session.io_binding()
        output = self._outputs[turn]
        binding.bind_ortvalue_input("audio", self._audio)
        binding.bind_output("audio_out", "cpu", 0, np.float32, self._hop.shape, output.ctypes.data)
        for name, before, after in zip(
            names, self._states[turn], self._states[1 - turn], strict=True
        ):
            binding.bind_ortvalue_input(f"state.{name}", before)
            binding.bind_ortvalue_output(f"next.{name}", after)
        return binding


def _buffer(content: Samples, device: str) -> ort.OrtValue:
    """Return a separate buffer: on the CPU, one made from an array would share its memory."""
    made = ort.OrtValue.ortvalue_from_shape_and_type(list(content.shape), np.float32, device, 0)
    made.update_inplace(content)
    return made


def _open(
    file: str, data: bytes, threads: int, providers: list[Provider], device: str
) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised as exceptions, not printed to stderr
    if device != "cpu":
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        session = ort.InferenceSession(data, options, providers=_named(providers))
    except Exception as error:  # each of ONNX Runtime's status codes is a separate class
        reason = " ".join(str(error).split())[:200]
        raise EngineError(f"{file}: onnxruntime {ort.__version__} refuses it: {reason}") from error
    found = session.get_providers()
    if found[0] != providers[0][0]:  # it is silently omitted if its libraries are missing
        raise EngineError(
            f"{file}: {providers[0][0]} does not load, only {', '.join(found)}: are TensorRT and "
            "CUDA of the version installed that this onnxruntime was built for?"
        )
    return session


def _named(providers: list[Provider]) -> list[Any]:
    return [(name, options) if options else name for name, options in providers]
