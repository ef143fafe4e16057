"""The detector hears speech and nothing else, whatever the blocks."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

from edge_vc.audio.io import AudioError
from edge_vc.audio.voice_activity import FRAME, SpeechDetector, speech_probabilities

RNG = np.random.default_rng(0)


def test_speech_is_heard_between_silences(arctic: np.ndarray) -> None:
    silence = RNG.normal(0, 1e-4, 16000).astype(np.float32)
    heard = speech_probabilities(np.concatenate([silence, arctic, silence]))
    assert heard.shape == (-(-(arctic.size + 32000) // FRAME),)
    assert heard[:28].max() < 0.1
    assert heard[-28:].max() < 0.1
    assert (heard[40:-40] > 0.5).mean() > 0.7


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(32000, np.float32),
        RNG.normal(0, 0.1, 32000).astype(np.float32),
        (0.3 * np.sin(np.arange(32000) * 0.2)).astype(np.float32),
    ],
    ids=["silence", "noise", "tone"],
)
def test_what_is_no_speech_is_not_heard(samples: np.ndarray) -> None:
    assert speech_probabilities(samples).mean() < 0.2


@pytest.mark.parametrize("size", [100, FRAME, 5000, 64000])
def test_blocks_do_not_matter(arctic: np.ndarray, size: int) -> None:
    detector = SpeechDetector()
    parts = [detector.push(arctic[at : at + size]) for at in range(0, arctic.size, size)]
    streamed = np.concatenate([*parts, detector.finish()])
    np.testing.assert_allclose(streamed, speech_probabilities(arctic), atol=1e-5)


def test_reset_forgets(arctic: np.ndarray) -> None:
    detector = SpeechDetector()
    first = detector.push(arctic[:16000])
    detector.reset()
    assert np.array_equal(first, detector.push(arctic[:16000]))


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr("edge_vc.settings.package.find_spec", nowhere)
    with pytest.raises(AudioError, match=r"pip install 'edge-vc\[prepare\]'"):
        SpeechDetector()


def test_torch_is_not_loaded() -> None:
    script = (
        "import sys, numpy; from edge_vc.audio.voice_activity import speech_probabilities as p;"
        "p(numpy.zeros(512, 'float32')); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.stdout == b"False\n"
