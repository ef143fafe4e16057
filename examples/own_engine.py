"""An engine of your own: ONNX Runtime through its plain `run`."""

import numpy as np
import onnxruntime as ort

from edge_vc.assets import ASSETS
from edge_vc_runtime import Session
from edge_vc_runtime.bundle.manifest import Manifest, ModelEntry
from edge_vc_runtime.engines import EngineKind, EngineLibrary, register_engine


class PlainOrt:
    """Keeps the state in a dict and feeds each `next.X` back as `state.X`."""

    name, library, version = "plain-ort", "onnxruntime", ort.__version__

    def __init__(self, manifest: Manifest, model: ModelEntry, data: bytes, threads: int) -> None:
        self._session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
        self._shapes = {state.name: state.shape for state in manifest.states}
        self._names = ["audio_out", *(f"next.{name}" for name in self._shapes)]
        self.input = np.zeros(manifest.hop, np.float32)
        self.reset()

    def reset(self) -> None:
        self._states = {f"state.{n}": np.zeros(s, np.float32) for n, s in self._shapes.items()}

    def run(self) -> np.ndarray:
        block = self.input.reshape(1, 1, 1, -1)
        audio, *following = self._session.run(self._names, {"audio": block, **self._states})
        self._states = dict(zip(self._states, following, strict=True))
        return audio.reshape(-1)


register_engine(
    EngineKind(
        name="plain-ort",
        formats=("onnx",),
        libraries=(EngineLibrary("onnxruntime", "1.17"),),
        load=lambda: PlainOrt,
        remedy="pip install onnxruntime",
    )
)

if __name__ == "__main__":
    bundle = ASSETS / "kathleen-nano.evc"
    audio = 0.1 * np.random.default_rng(0).standard_normal(1600).astype(np.float32)
    outputs = []
    for engine in ("plain-ort", "onnx"):
        session = Session.open(bundle, engine=engine, precision="fp32")
        hops = audio.reshape(-1, session.hop)
        outputs.append(np.concatenate([session.step(hop).copy() for hop in hops]))
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-4)
    print("plain-ort gives the same samples as onnx")
