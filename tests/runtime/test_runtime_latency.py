"""Finding a chirp and a speech-like signal, and measuring a delay that is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import soxr

from edge_vc_runtime.cli import main
from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.devices.error import DeviceGoneError
from edge_vc_runtime.latency.chirp import chirp, find_chirp
from edge_vc_runtime.latency.description import describe_round_trip, round_trip_json
from edge_vc_runtime.latency.detection import Detection
from edge_vc_runtime.latency.measurement import StreamPair, measure_round_trip
from edge_vc_runtime.latency.options import LatencyOptions
from edge_vc_runtime.latency.probe import find_probe, speech_probe
from edge_vc_runtime.latency.round_trip import RoundTrip
from edge_vc_runtime.latency.signals import chirp_signal, speech_signal
from edge_vc_runtime.latency.timeline import Timeline

RATE = 16000
AT = 7000


def recording(signal: np.ndarray, seconds: float = 1.5, at: int = AT) -> np.ndarray:
    made = np.zeros(int(seconds * RATE), np.float32)
    made[at : at + len(signal)] = signal
    return made


def noise(length: int, level: float, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)


def test_a_chirp_fits_every_rate() -> None:
    for rate in (8000, 16000, 44100, 96000):
        audio = chirp(rate)
        assert audio.dtype == np.float32
        assert len(audio) == rate // 4
        assert 0.4 < np.abs(audio).max() <= 0.5
        assert audio[0] == pytest.approx(0, abs=1e-3)
        found = find_chirp(np.concatenate([np.zeros(999, np.float32), audio]), rate)
        assert found is not None
        assert found.position == pytest.approx(999, abs=0.05)


@pytest.mark.parametrize("snr_db", [30, 0, -6, -10])
def test_chirp_in_noise(snr_db: float) -> None:
    audio = recording(chirp(RATE))
    level = np.sqrt(np.mean(chirp(RATE) ** 2)) * 10 ** (-snr_db / 20)
    found = find_chirp(audio + noise(len(audio), level), RATE)
    assert found is not None
    assert found.position == pytest.approx(AT, abs=2)
    assert found.peak_ratio > 10


def echoes(audio: np.ndarray) -> np.ndarray:
    """The reflections are louder than the direct sound, and come 3 to 60 ms after it."""
    return audio + sum(
        gain * np.roll(audio, int(after * RATE))
        for gain, after in ((1.6, 0.003), (-1.2, 0.011), (0.8, 0.025), (0.6, 0.06))
    )


def other_rate(audio: np.ndarray) -> np.ndarray:
    """Through an 11 kHz stage and back: the delay of both stages is taken off by soxr."""
    return soxr.resample(soxr.resample(audio, RATE, 11025), 11025, RATE)[: len(audio)]


def another_clock(audio: np.ndarray) -> np.ndarray:
    """The recording card runs 200 ppm fast."""
    times = np.arange(len(audio)) / 1.0002
    return np.interp(times, np.arange(len(audio)), audio)


CHANGES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "echoes": (echoes, 2),
    "resampled": (other_rate, 2),
    "another clock": (another_clock, 8),
    "clipped": (lambda audio: np.clip(20 * audio, -1, 1), 2),
    "inverted and quiet": (lambda audio: -0.003 * audio, 1),
    "hum": (lambda audio: audio + 0.5 * np.sin(np.arange(len(audio)) * 2 * np.pi * 50 / RATE), 2),
    "offset": (lambda audio: audio + 0.3, 2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_chirp_through_a_room(name: str) -> None:
    change, within = CHANGES[name]
    heard = change(recording(chirp(RATE))).astype(np.float32)
    found = find_chirp(heard + noise(len(heard), 1e-4), RATE)
    assert found is not None
    assert found.position == pytest.approx(AT, abs=within)


def impostors() -> dict[str, np.ndarray]:
    time = np.arange(int(1.5 * RATE)) / RATE
    random = np.random.default_rng(3)
    click = np.zeros(len(time))
    click[10_000] = 1
    return {
        "silence": np.zeros(len(time)),
        "white noise": random.standard_normal(len(time)),
        "brown noise": np.cumsum(random.standard_normal(len(time))) / 100,
        "click": click,
        "tone": np.sin(2 * np.pi * 1000 * time),
        "tone burst": np.sin(2 * np.pi * 700 * time) * (np.abs(time - 0.7) < 0.1),
        "chirp down": recording(chirp(RATE)[::-1]),
        "speech": recording(speech_probe(RATE)[:RATE]),
        "not a number": np.full(len(time), np.nan),
        "too short": np.zeros(100),
    }


@pytest.mark.parametrize("name", list(impostors()))
def test_no_chirp_no_number(name: str) -> None:
    audio = impostors()[name].astype(np.float32)
    with np.errstate(all="raise"):
        assert find_chirp(audio, RATE) is None
        assert find_probe(audio, RATE) is None


def test_a_click_at_the_edge_is_no_chirp() -> None:
    """Its correlation has no floor to be compared with; only its likeness tells."""
    silence = np.zeros(2 * RATE, np.float32)
    for place in (0, 5, len(silence) - 1):
        audio = silence.copy()
        audio[place] = 1
        assert find_chirp(audio, RATE) is None


@pytest.mark.parametrize("snr_db", [30, 10, 0])
def test_speech_probe_in_noise_and_another_waveform(snr_db: float) -> None:
    """The heard signal shares only its loudness over time with the one that was played."""
    rate = 16000
    probe = speech_probe(rate, seed=2)
    loudness = np.sqrt(np.convolve(probe**2, np.ones(160) / 160, "same"))
    other = loudness * np.random.default_rng(1).standard_normal(len(probe))
    audio = np.zeros(5 * rate)
    audio[7000 : 7000 + len(probe)] = other
    level = np.sqrt(np.mean(other**2)) * 10 ** (-snr_db / 20)
    found = find_probe((audio + noise(len(audio), level)).astype(np.float32), rate, seed=2)
    assert found is not None
    assert found.position == pytest.approx(7000, abs=0.004 * rate)
    assert find_probe((audio + noise(len(audio), level)).astype(np.float32), rate, seed=3) is None


def test_a_late_callback_does_not_move_the_time_of_a_sample() -> None:
    timeline = Timeline(RATE, 1000)
    random = np.random.default_rng(0)
    for block in range(400):
        late = random.exponential(0.002) if block % 3 == 0 else 0.0
        timeline.mark(block * 40, int((10 + block * 40 / RATE + late) * 1e9))
    assert timeline.time_of(8000) == pytest.approx(10.5, abs=1e-4)
    assert timeline.position_at(10.5) == pytest.approx(8000, abs=40)
    assert np.isnan(timeline.time_of(10**6))


class FakeStream:
    latency_ms = None

    def __init__(self, format: StreamFormat) -> None:
        self.format = format
        self.active = False
        self.closed = False

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active, self.closed = False, True


class Wire:
    """Two streams and what lies between them, on a clock that only `sleep` moves."""

    def __init__(
        self, delay_s: float, between: Callable[[np.ndarray], np.ndarray] = lambda audio: audio,
        kinds: tuple[str, str] = ("float32", "float32"), block: int = 40, lost: bool = False,
    ) -> None:  # fmt: skip
        self.between, self.block, self.lost = between, block, lost
        self.blocks = 0
        self.line = [np.zeros(block, np.float32)] * 0
        self.late = np.zeros(int(delay_s * RATE), np.float32)
        self.source = FakeStream(StreamFormat(RATE, 1, kinds[0], block))
        self.sink = FakeStream(StreamFormat(RATE, 2, kinds[1], block))
        self.take: Any = None
        self.fill: Any = None

    def pair(self) -> StreamPair:
        return StreamPair(self.open_input, self.open_output)

    def open_input(self, callback: Any) -> FakeStream:
        self.take = callback
        return self.source

    def open_output(self, callback: Any) -> FakeStream:
        self.fill = callback
        return self.sink

    def clock_ns(self) -> int:
        return int(self.blocks * self.block / RATE * 1e9)

    def sleep(self, seconds: float) -> None:
        scale = {"float32": 1.0, "int16": 2.0**15, "int32": 2.0**31}
        for _ in range(int(seconds * RATE / self.block)):
            out = np.full((self.block, 2), 7, self.sink.format.sample_type)
            self.fill(out, False)
            played = out[:, 0] / scale[self.sink.format.sample_type]
            self.late = np.concatenate([self.late, self.between(played.astype(np.float32))])
            heard, self.late = self.late[: self.block], self.late[self.block :]
            kind = self.source.format.sample_type
            self.take((heard * scale[kind] * 0.9).astype(kind)[:, None], self.lost)
            self.blocks += 1

    def measure(self, *signals: Any, **options: Any) -> RoundTrip:
        return measure_round_trip(
            self.pair(), signals, sleep=self.sleep, clock_ns=self.clock_ns, **options
        )


@pytest.mark.parametrize("kinds", [("float32", "int16"), ("int32", "float32"), ("int16", "int32")])
def test_a_known_delay_is_measured(kinds: tuple[str, str]) -> None:
    wire = Wire(0.0345, kinds=kinds)
    made = wire.measure(*[chirp_signal()] * 3)
    assert made.found
    assert made.repeats == len(made.delays_ms) == 3
    assert made.median_ms == pytest.approx(34.5, abs=0.1)
    assert made.spread_ms < 0.1
    assert made.confidence > 20
    assert made.similarity > 0.99
    assert made.xruns == 0
    assert wire.source.closed
    assert wire.sink.closed


def test_a_converter_is_measured_by_its_loudness() -> None:
    state = np.random.default_rng(4)

    def convert(audio: np.ndarray) -> np.ndarray:
        loud = np.sqrt(np.mean(audio**2))
        return (loud * state.standard_normal(len(audio))).astype(np.float32)

    made = Wire(0.1, convert).measure(speech_signal(0), speech_signal(1))
    assert made.found
    assert made.median_ms == pytest.approx(100, abs=4)
    assert not Wire(0.1, convert).measure(chirp_signal()).found


def test_nothing_heard_gives_no_number() -> None:
    made = Wire(0.03, lambda audio: 0 * audio).measure(*[chirp_signal()] * 2)
    assert not made.found
    assert made.delays_ms == ()
    assert made.peak == 0
    assert np.isnan(made.median_ms)


def test_a_delay_beyond_the_longest_is_not_found() -> None:
    assert not Wire(0.4).measure(chirp_signal(), longest_s=0.2).found
    assert Wire(0.4).measure(chirp_signal(), longest_s=0.5).found


def test_lost_samples_are_counted() -> None:
    assert Wire(0.03, lost=True).measure(chirp_signal()).xruns > 100


def test_a_device_that_vanishes_is_an_error() -> None:
    wire = Wire(0.03)

    def vanish(seconds: float) -> None:
        wire.source.active = False

    with pytest.raises(DeviceGoneError, match="the input device stopped"):
        measure_round_trip(wire.pair(), [chirp_signal()], sleep=vanish)
    assert wire.sink.closed


def test_an_output_that_does_not_open_closes_the_input() -> None:
    wire = Wire(0.03)

    def refuse(callback: Any) -> FakeStream:
        raise DeviceGoneError("no output")

    with pytest.raises(DeviceGoneError, match="no output"):
        measure_round_trip(StreamPair(wire.open_input, refuse), [chirp_signal()])
    assert wire.source.closed


def test_repeats_have_to_agree() -> None:
    hit = Detection(0.0, 0.9, 50.0)
    made = RoundTrip(5, (30.0, 30.2, 29.9), (hit, replace(hit, peak_ratio=40.0), hit), 0.5, 0)
    assert made.found
    assert made.median_ms == 30.0
    assert made.spread_ms == pytest.approx(0.3)
    assert made.confidence == 40.0
    assert not replace(made, delays_ms=(30.0, 30.2)).found
    assert not replace(made, delays_ms=(30.0, 30.2, 90.0)).found


def described(made: RoundTrip, **options: Any) -> str:
    return "\n".join(describe_round_trip(made, LatencyOptions(**options)))


HIT = Detection(0.0, 0.9, 50.0)
FOUND = RoundTrip(2, (30.0, 31.0), (HIT, HIT), 0.5, 0)


def test_a_number_says_how_sure_it_is() -> None:
    text = described(FOUND)
    assert "round trip of the devices: 30.5 ms (median of 2 of 2, spread 1.0 ms" in text
    assert "correlation peak 50 times its floor" in text
    assert "warning: 3 times a card lost samples" in described(replace(FOUND, xruns=3))
    through = described(FOUND, through=True, own_ms=10.5)
    assert "microphone to ear: 20.0 ms, without 10.5 ms of own devices" in through
    assert "--own-ms" in described(FOUND, through=True)
    assert json.loads(round_trip_json(FOUND, LatencyOptions()))["delay_ms"] == 30.5


@pytest.mark.parametrize(
    ("peak", "advice"),
    [(0.0, "with a cable"), (1.0, "turn the volume down"), (0.2, "turn the volume up")],
)
def test_no_number_says_what_to_do(peak: float, advice: str) -> None:
    lost = RoundTrip(5, (), (), peak, 0)
    text = described(lost)
    assert "no number: the chirp was found 0 of 5 times" in text
    assert advice in text
    assert " ms" not in text
    assert json.loads(round_trip_json(lost, LatencyOptions()))["delay_ms"] is None
    apart = replace(FOUND, delays_ms=(30.0, 90.0))
    assert "came back after 30, 90 ms, which is not one delay" in described(apart)
    assert "is `run` converting" in described(lost, through=True)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--repeats", "0"], "'0'; it has to be 1 to 100"),
        (["--level", "6"], "'6'; it has to be -60 to 0 dB"),
        (["--level", "nan"], "has to be -60 to 0 dB"),
        (["--longest", "1"], "has to be 50 to 5000 ms"),
        (["--own-ms", "x"], "'x'; it has to be 0 to 5000 ms"),
        (["--own-ms", "20"], "give both"),
        (["--backend", "none"], "no back end 'none'"),
    ],
)
def test_impossible_options(
    arguments: list[str], fact: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["measure-latency", *arguments])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert fact in capsys.readouterr().err
