"""Sources and sinks that other distributions register, and the list of audio formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.file_sink import FileSink
from edge_vc_runtime.audio.file_source import FileSource
from edge_vc_runtime.audio.formats import (
    FORMATS,
    readable_names,
    readable_suffixes,
    writable_format,
    writable_names,
    writable_suffixes,
)
from edge_vc_runtime.audio.sink import SinkKind
from edge_vc_runtime.audio.sinks import register_sink, sink_kind, unregister_sink
from edge_vc_runtime.audio.source import SourceKind
from edge_vc_runtime.audio.sources import register_source, source_kind, unregister_source
from edge_vc_runtime.cli import main
from edge_vc_runtime.samples import Samples


class Tone:
    """``tone:HZ``: half a second of a sine at the rate that is asked for."""

    channels = 1
    notice = "a tone, not speech"

    def __init__(self, argument: str, sample_rate: int) -> None:
        self.name = argument
        self.sample_rate = sample_rate
        self.frames: int | None = sample_rate // 2
        self._hz = float(argument.removeprefix("tone:"))

    def blocks(self) -> Iterator[Samples]:
        """Yield all of it."""
        time = np.arange(self.frames or 0) / self.sample_rate
        yield (0.3 * np.sin(2 * np.pi * self._hz * time)).astype(np.float32)

    def close(self) -> None:
        """Hold nothing."""


class NpySink:
    """``FILE.npy``: the samples as an array."""

    def __init__(self, argument: str, sample_rate: int) -> None:
        self.name = argument
        self._blocks: list[Samples] = []

    def write(self, samples: Samples) -> None:
        """Append ``[T]``."""
        self._blocks.append(samples.copy())

    def finish(self) -> None:
        """Write the file."""
        np.save(self.name, np.concatenate(self._blocks))

    def abort(self) -> None:
        """Leave nothing."""


TONE = SourceKind("tone", "tone:HZ", lambda text: text.startswith("tone:"), Tone, states_rate=False)
NPY = SinkKind("npy", "FILE.npy for an array", lambda text: text.endswith(".npy"), NpySink)


@pytest.fixture
def registered() -> Iterator[None]:
    """Both of them, for one test."""
    register_source(TONE)
    register_sink(NPY)
    yield
    unregister_source("tone")
    unregister_sink("npy")


@pytest.mark.usefixtures("registered")
def test_run_takes_both(mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.npy"
    assert main(["run", str(mini), "tone:100", str(out), "--input-rate", "16000"]) == 0
    expected = 0.3 * np.sin(2 * np.pi * 100 * np.arange(8000) / 16000)
    np.testing.assert_allclose(np.load(out), expected, atol=1e-5)
    err = capsys.readouterr().err
    assert "tone:100: 16000 Hz, channels: 1" in err
    assert "a tone, not speech" in err


@pytest.mark.usefixtures("registered")
def test_help_describes_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert (
        f"IN a file ({readable_names()}), or - for a WAV file or raw S16_LE mono on stdin" in text
    )
    assert "on stdin, or tone:HZ" in text
    assert f"OUT a file ({writable_names()}), or - for raw S16_LE mono on stdout, or FILE" in text


@pytest.mark.usefixtures("registered")
def test_the_last_that_accepts_an_argument_opens_it() -> None:
    assert [source_kind(text).name for text in ("-", "a.WAV", "tone:5", "tone", "a.caf")] == [
        "stdin", "file", "tone", "file", "file",
    ]  # fmt: skip
    assert [sink_kind(text).name for text in ("-", "a.wav", "a.npy", "a.xyz")] == [
        "stdout", "file", "npy", "file",
    ]  # fmt: skip
    mine = replace(TONE, name="mine", accepts=lambda text: text == "a.wav")
    register_source(mine)
    assert source_kind("a.wav") is mine
    unregister_source("mine")
    assert source_kind("a.wav").name == "file"
    other = replace(NPY, name="other", accepts=lambda text: text == "a.wav")
    register_sink(other)
    assert sink_kind("a.wav") is other
    unregister_sink("other")
    assert sink_kind("a.wav").name == "file"


def test_entry_points_are_read_for_what_nobody_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[str] = []

    def load(group: str, register: Callable[[SourceKind], None]) -> None:
        groups.append(group)
        register(TONE)

    monkeypatch.setattr("edge_vc_runtime.registry.register_entry_points", load)
    try:
        assert [source_kind(text).name for text in ("a.wav", "-")] == ["file", "stdin"]
        assert groups == [], "looking takes time"
        assert source_kind("tone:1") is TONE
        assert groups == ["edge_vc.sources"]
    finally:
        unregister_source("tone")


@pytest.mark.usefixtures("registered")
def test_names_of_kinds_are_taken_once() -> None:
    register_source(TONE)
    with pytest.raises(ValueError, match="a source 'stdin' is registered already"):
        register_source(replace(TONE, name="stdin"))
    with pytest.raises(ValueError, match="a sink 'file' is registered already"):
        register_sink(replace(NPY, name="file"))
    assert source_kind("-").open is not TONE.open


def test_input_rate_is_refused_where_the_source_states_it(
    registered: None, mini: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unregister_source("tone")
    register_source(replace(TONE, states_rate=True))
    assert main(["run", str(mini), "tone:100", "out.npy", "--input-rate", "16000"]) == 2
    assert "a tone gives its own rate" in capsys.readouterr().err


def test_every_writable_format_is_written_and_read(tmp_path: Path) -> None:
    audio = np.linspace(-0.5, 0.5, 1600, dtype=np.float32)
    for suffix in writable_suffixes():
        path = tmp_path / f"a{suffix}"
        sink = FileSink(path, 16000)
        sink.write(audio)
        sink.finish()
        form = writable_format(suffix)
        assert form is not None
        assert soundfile.info(path).format in (form.container, "WAVEX")
        source = FileSource(path)
        heard = np.concatenate(list(source.blocks()))
        source.close()
        assert heard.shape == audio.shape
        assert np.abs(heard - audio).max() < (0.05 if suffix == ".ogg" else 1e-4)


def test_formats_that_are_only_read(tmp_path: Path) -> None:
    assert set(readable_suffixes()) - set(writable_suffixes()) == {".mp3"}
    assert [each.container for each in FORMATS if each.builtin] == ["WAV"]
    soundfile.write(tmp_path / "a.mp3", np.zeros(16000), 16000, format="MP3")
    source = FileSource(tmp_path / "a.mp3")
    assert (source.frames, source.sample_rate) == (16000, 16000)
    source.close()
    (tmp_path / "b.mp3").write_bytes(b"no audio" * 100)
    with pytest.raises(AudioIOError, match=rf"; give {readable_names()}$"):
        FileSource(tmp_path / "b.mp3")
    with pytest.raises(AudioIOError, match=r"cannot write \.mp3; use \.wav, \.flac, \.ogg"):
        FileSink(tmp_path / "c.mp3", 16000)
