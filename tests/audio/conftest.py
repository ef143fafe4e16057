"""Speech for tests of what listens to it."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def arctic() -> np.ndarray:
    """Four seconds of a real speaker at 16 kHz, full scale 1: the recording inside pysptk."""
    import pysptk
    import soundfile

    samples, rate = soundfile.read(pysptk.util.example_audio_file(), dtype="float32")
    assert rate == 16000
    return np.asarray(samples, np.float32)
