"""Conversion of whole recordings: aligned, of the input's length, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import write_mini

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.resampler import Resampler, resampled_length
from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.live.offline import convert_array, convert_blocks, convert_stream
from edge_vc_runtime.session import Session


class ListSink:
    """Keeps what it is given."""

    name = "list"

    def __init__(self) -> None:
        self.pieces: list[np.ndarray] = []
        self.ended: list[str] = []

    def write(self, samples: np.ndarray) -> None:
        self.pieces.append(samples.copy())

    def finish(self) -> None:
        self.ended.append("finish")

    def abort(self) -> None:
        self.ended.append("abort")


class BlockSource:
    """Gives blocks of one size."""

    name = "blocks"
    channels = 1
    frames = None
    notice = None

    def __init__(self, audio: np.ndarray, size: int, sample_rate: int = 16000) -> None:
        self.audio, self.size, self.sample_rate = audio, size, sample_rate

    def blocks(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.audio), self.size):
            yield self.audio[start : start + self.size]

    def close(self) -> None:
        pass


@pytest.mark.parametrize("delay", [1, 37, 160, 500])
@pytest.mark.parametrize("length", [1, 159, 160, 161, 1000])
@pytest.mark.parametrize("block", [1, 100, 4096])
def test_output_lies_under_the_input(tmp_path: Path, delay: int, length: int, block: int) -> None:
    session = Session.open(write_mini(tmp_path / "a.evc", delay=delay))
    audio = np.random.default_rng(delay).normal(0, 0.1, length).astype(np.float32)
    sink = ListSink()
    done = convert_stream(session, BlockSource(audio, block), sink)
    np.testing.assert_array_equal(np.concatenate(sink.pieces), audio)
    assert done.frames == length
    assert sink.ended == ["finish"]
    np.testing.assert_array_equal(convert_array(session, audio), audio)


def test_convert_array_starts_from_silence(mini: Path) -> None:
    session = Session.open(mini)
    audio = np.full(320, 0.5, np.float32)
    first = convert_array(session, audio)
    np.testing.assert_array_equal(convert_array(session, audio), first)
    assert convert_array(session, audio[:0]).shape == (0,)


def test_a_live_stream_is_answered_at_once(mini: Path) -> None:
    """Nothing waits for the end: after hop n, all but the delay of it has come out."""
    session = Session.open(mini)
    fed = 0

    def hops() -> Iterator[np.ndarray]:
        nonlocal fed
        for _ in range(10):
            fed += 160
            yield np.ones(160, np.float32)

    out = 0
    for piece in convert_blocks(session, hops()):
        out += piece.shape[0]
        assert out >= fed - 160
    assert out == 1600


@pytest.mark.parametrize(
    ("rate", "length"), [(44100, 44100), (8000, 12345), (96000, 7), (22050, 1)]
)
def test_other_rates_keep_length_and_place(mini: Path, rate: int, length: int) -> None:
    session = Session.open(mini)
    time = np.arange(length) / rate
    audio = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    at_model, back = ListSink(), ListSink()
    convert_stream(session, BlockSource(audio, 1024, rate), at_model)
    assert sum(map(len, at_model.pieces)) == resampled_length(length, rate, 16000)
    session.reset()
    convert_stream(session, BlockSource(audio, 1024, rate), back, output_rate=rate)
    out = np.concatenate(back.pieces)
    assert out.shape == (length,)
    middle = slice(length // 4, length - length // 4)
    if length > 1000:
        np.testing.assert_allclose(out[middle], audio[middle], atol=5e-3)


def test_resampler_without_soxr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soxr", None)
    with pytest.raises(
        AudioIOError, match=r"44100 Hz has to become 16000 Hz, which needs soxr: pip"
    ):
        Resampler(44100, 16000)
    assert Resampler(16000, 16000).push(np.ones(3, np.float32)).shape == (3,)


def test_nothing_is_not_audio(mini: Path) -> None:
    sink = ListSink()
    with pytest.raises(AudioIOError, match="blocks: holds no samples"):
        convert_stream(Session.open(mini), BlockSource(np.zeros(0, np.float32), 1), sink)
    assert sink.ended == ["abort"]


def test_progress_counts_seconds(mini: Path) -> None:
    seen: list[float] = []
    audio = np.zeros(16000, np.float32)
    convert_stream(Session.open(mini), BlockSource(audio, 4000), ListSink(), None, seen.append)
    assert seen == [0.25, 0.5, 0.75, 1.0]


def test_histogram_percentiles() -> None:
    rng = np.random.default_rng(0)
    durations = rng.lognormal(12, 1, 20_000).astype(np.int64)
    times = HopTimes(deadline_ns=10**6)
    for duration in durations:
        times.record(int(duration))
    for percent in (50, 90, 99, 99.9):
        exact = np.percentile(durations, percent) / 1e6
        assert exact * 0.98 < times.percentile_ms(percent) < exact * 1.02
    assert times.percentile_ms(100) == durations.max() / 1e6
    assert times.late == np.count_nonzero(durations > 10**6)
    assert times.count == 20_000


@pytest.mark.parametrize("duration", [0, 1, 63, 64, 127, 128, 10**6, 2**39, 2**50])
def test_histogram_takes_any_duration(duration: int) -> None:
    times = HopTimes(10)
    assert times.percentile_ms(50) is None
    times.record(duration)
    assert times.percentile_ms(50) == duration / 1e6


def test_hop_times_count_up_to_an_edge() -> None:
    times = HopTimes(10)
    for duration_ms in (0.5, 0.9, 3.0, 3.0, 40.0):
        times.record(int(duration_ms * 1e6))
    assert times.counts_up_to([0.1, 1.0, 3.2, 10.0, 100.0]) == [0, 2, 4, 4, 5]
