"""What every test may ask for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import setuptools  # noqa: F401  before any test: it replaces Python's distutils, which warns

if TYPE_CHECKING:
    import numpy as np

# Tests run small networks: more threads only wait for each other. Before torch and numpy are
# loaded: with more threads their sums are rounded otherwise than in a worker process.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Where a test asks for two threads on a busy machine, threads that spin at every barrier make
# minutes of seconds.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Under nohup, in background jobs and in some CI, SIGINT arrives ignored, and every process that a
# test starts would inherit that: a Ctrl-C that a test sends would never be seen.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True, scope="session")
def no_memories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What was measured or installed for the user who runs the tests is not for them."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("STATE", "CONFIG"):
            patch.setenv(f"XDG_{kind}_HOME", str(tmp_path_factory.mktemp(kind.lower())))
        # Bundles that tests make are not strangers'; tests/vetting asks for the default.
        policy = Path(os.environ["XDG_CONFIG_HOME"]) / "edge-vc" / "trust.json"
        policy.parent.mkdir()
        policy.write_text('{"unseen": "allow"}')
        yield


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The speech corpus beside the project; tests that ask for it are skipped without it."""
    folder = ROOT.parent / "shared" / "corpus"
    if not (folder / "eval" / "metadata.csv").is_file() and not any(folder.glob("*/metadata.csv")):
        pytest.skip(f"no speech corpus at {folder}")
    return folder


@pytest.fixture(scope="session")
def arctic() -> np.ndarray:
    """Four seconds of a real speaker at 16 kHz, full scale 1: the recording inside pysptk."""
    import numpy as np
    import pysptk
    import soundfile

    samples, rate = soundfile.read(pysptk.util.example_audio_file(), dtype="float32")
    assert rate == 16000
    return np.asarray(samples, np.float32)
