"""A private sound server; tests that ask for it are skipped, with the reason, without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_sound import SoundServer, missing
from runtime_bundles import write_mini


@pytest.fixture(scope="session")
def sound() -> Iterator[SoundServer]:
    """One server for the whole session; PortAudio and ALSA of this process use it."""
    yield from _serve()


@pytest.fixture
def own_sound() -> Iterator[SoundServer]:
    """A server of the test's own, to be stopped, started and given other sinks."""
    yield from _serve()


@pytest.fixture(scope="session")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with hop 160, delay 160 at 16 kHz that passes what it gets."""
    return write_mini(tmp_path_factory.mktemp("bundle") / "mini.evc")


def _serve() -> Iterator[SoundServer]:
    reason = missing()
    if reason:
        pytest.skip(f"no sound server: {reason}")
    with SoundServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.delenv("PULSE_LATENCY_MSEC", raising=False)
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
