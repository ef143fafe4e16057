"""Voice activity: speech probabilities from Silero VAD, every 32 ms.

The network is part of the package ``silero-vad`` (MIT licence) and runs in ONNX Runtime, many
frames per call; neither torch nor torchaudio is loaded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError, Samples
from edge_vc.settings.package import check_weights, package_folder

SAMPLE_RATE = 16_000
"""Input rate of the detector in Hz."""
FRAME = 512
"""Samples per probability."""
SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
"""Hash of the network in silero-vad 6.2.3."""

_CONTEXT = 64
_MODEL = "silero_vad_16k_sequence.onnx"
_FRAMES_PER_CALL = 512

Probabilities = NDArray[np.float32]


class SpeechDetector:
    """Detects speech in one recording, fed block by block.

    The joined probabilities do not depend on the block sizes. Create one per recording or `reset`
    it.
    """

    def __init__(self) -> None:
        """Load the network; raises `AudioError` with the install line if it is missing."""
        from edge_vc_runtime.engines.onnx_engine.library import ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            model_path(), options, providers=["CPUExecutionProvider"]
        )
        self.reset()

    def reset(self) -> None:
        """Reset the state for another recording."""
        self._hidden = self._cell = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(_CONTEXT, np.float32)
        self._rest = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> Probabilities:
        """Take ``[T]`` at 16 kHz and return one probability per completed frame."""
        heard = np.concatenate([self._rest, samples])
        frames = heard.shape[0] // FRAME
        self._rest = heard[frames * FRAME :]
        whole = heard[: frames * FRAME].reshape(frames, FRAME)
        parts = [
            self._run(whole[first : first + _FRAMES_PER_CALL])
            for first in range(0, frames, _FRAMES_PER_CALL)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def finish(self) -> Probabilities:
        """Return the probability of the last, incomplete frame, if there is one."""
        missing = -self._rest.shape[0] % FRAME
        return self.push(np.zeros(missing, np.float32))

    def _run(self, frames: NDArray[np.float32]) -> Probabilities:
        # Every frame is preceded by the end of the previous one.
        before = np.concatenate([self._context[None], frames[:-1, -_CONTEXT:]])
        self._context = frames[-1, -_CONTEXT:].copy()
        probabilities, self._hidden, self._cell = self._session.run(
            ["speech_probs", "hn", "cn"],
            {"input": np.hstack([before, frames]), "h": self._hidden, "c": self._cell},
        )
        spoken: Probabilities = probabilities.reshape(-1)
        return spoken


def speech_probabilities(samples: Samples) -> Probabilities:
    """Return the probability of speech ``[ceil(T / FRAME)]`` in ``[T]`` at 16 kHz."""
    detector = SpeechDetector()
    return np.concatenate([detector.push(samples), detector.finish()])


def model_path() -> Path:
    """Return the path of the network's file without importing its package (which needs torch).

    Raises `AudioError`, with one line, unless the file has the expected hash.
    """
    missing = "voice activity needs silero-vad: pip install 'edge-vc[prepare]'"
    path = package_folder("silero_vad", missing, AudioError) / "data" / _MODEL
    check_weights([path], SHA256, "Silero VAD", "silero-vad==6.2.3", AudioError)
    return path
