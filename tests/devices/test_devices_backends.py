"""The registry of back ends, and what is said where one is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from devices_fakes import ListedBackend
from devices_pyaudio import FakePyAudio

from edge_vc_runtime.devices import (
    BACKENDS,
    BackendKind,
    DeviceError,
    backend_kinds,
    describe_backends,
    open_backend,
    register_backend,
    unregister_backend,
)

MINE = BackendKind("mine", "a test's own", lambda latency_ms: ListedBackend(), remedy="buy one")


@pytest.fixture
def mine() -> Iterator[BackendKind]:
    register_backend(MINE)
    yield MINE
    unregister_backend("mine")


def test_pyaudio_comes_first() -> None:
    assert list(backend_kinds())[:2] == ["pyaudio", "sounddevice"]
    assert describe_backends().startswith("pyaudio (PortAudio at the card's low latency), ")


def test_one_of_another_distribution(mine: BackendKind) -> None:
    assert open_backend("mine").name == "listed"
    assert describe_backends().endswith(", mine (a test's own)")
    register_backend(MINE)
    with pytest.raises(ValueError, match="'mine' is registered already"):
        register_backend(BackendKind("mine", "other", MINE.open, extra="x"))
    unregister_backend("mine")
    unregister_backend("mine")
    assert "mine" not in BACKENDS


@pytest.mark.parametrize("name", ["", "Mine", "auto", "a b", "x" * 40])
def test_names_are_words(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be called"):
        BackendKind(name, "", MINE.open, extra="x")
    with pytest.raises(ValueError, match="give an extra, or a remedy"):
        BackendKind("x", "", MINE.open)


def test_an_unknown_name_lists_the_names() -> None:
    with pytest.raises(DeviceError, match="no back end 'jack', choose from auto, pyaudio, sound"):
        open_backend("jack")


def test_a_missing_library_names_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    with pytest.raises(DeviceError) as error:
        open_backend("pyaudio")
    assert str(error.value).startswith(
        "back end pyaudio needs pyaudio, which is not installed: pip install "
        "'edge-vc-runtime[live]' (it is built there: apt install portaudio19-dev"
    )


def test_a_library_that_does_not_load_says_why() -> None:
    kind = BACKENDS["sounddevice"]
    assert kind.missing(OSError("PortAudio library not found")) == (
        "back end sounddevice cannot be loaded: PortAudio library not found: pip install "
        "'edge-vc-runtime[sounddevice]' (it needs: apt install libportaudio2)"
    )


def test_auto_takes_the_first_that_is_there(
    mine: BackendKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", FakePyAudio())
    assert open_backend().name == "pyaudio"
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert open_backend("auto").name == "listed"
    unregister_backend("mine")
    with pytest.raises(DeviceError, match="back end pyaudio needs pyaudio"):
        open_backend("auto")


def test_a_latency_needs_a_back_end_that_takes_one(
    mine: BackendKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", FakePyAudio())
    with pytest.raises(DeviceError, match=r"pyaudio cannot be told a latency \(5 ms\); use --back"):
        open_backend("pyaudio", 5)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert open_backend("auto", 5).name == "listed"
    for wrong in (0, -1, 1001, float("nan")):
        with pytest.raises(DeviceError, match="it has to be above 0, at most 1000"):
            BACKENDS["sounddevice"].open(wrong)
