"""Taps: a pipe that drops, subtitles, prosody, and the processes that make them."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_vc_runtime.cli import main
from edge_vc_runtime.taps.error import TapError
from edge_vc_runtime.taps.kind import TapOutput, TapSettings
from edge_vc_runtime.taps.listeners import TapListeners
from edge_vc_runtime.taps.mood import MoodJob
from edge_vc_runtime.taps.options import TapChoice, TapOptions
from edge_vc_runtime.taps.pipe import PipeTap, read_records
from edge_vc_runtime.taps.process import TapProcess
from edge_vc_runtime.taps.prosody import measure_prosody
from edge_vc_runtime.taps.recogniser import HeardWord
from edge_vc_runtime.taps.subtitles import Cue
from edge_vc_runtime.taps.utterances import UtteranceDetector
from edge_vc_runtime.taps.words import WordsJob

RATE = 16000


def tone(seconds: float, hz: float = 150.0, level: float = 0.1) -> np.ndarray:
    phase = 2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE
    return (level * sum(np.sin(k * phase) / k for k in range(1, 12))).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE), np.float32)


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    tap = PipeTap(writer)
    with os.fdopen(reader, "rb") as stream:
        yield tap, stream
    tap.close()


@pytest.mark.parametrize("hop", [1, 160, 480, 2500])
def test_what_is_pushed_is_read(pipe, hop: int) -> None:
    tap, stream = pipe
    audio = np.random.default_rng(0).standard_normal(3 * hop).astype(np.float32)
    buffer = np.zeros(hop, np.float32)
    for start in range(0, 3 * hop, hop):
        buffer[:] = audio[start : start + hop]  # overwritten afterwards, as the loop's hops are
        tap.push(buffer)
    buffer[:] = 9
    tap.close()
    records = list(read_records(stream))
    np.testing.assert_array_equal(np.concatenate([samples for _, samples in records]), audio)
    assert [position for position, _ in records] == sorted(position for position, _ in records)
    assert (tap.dropped, records[0][0]) == (0, 0)


def test_a_slow_reader_loses_audio_and_nobody_waits(pipe) -> None:
    tap, stream = pipe
    hop = np.ones(160, np.float32)
    pushed = 0
    while not tap.dropped:
        tap.push(hop)
        pushed += 160
    kept = pushed - tap.dropped
    assert kept > RATE // 4
    first = next(read_records(stream))
    assert first[0] == 0
    for _ in range(100):
        tap.push(hop)
    tap.close()
    records = list(read_records(stream))
    jumps = np.diff([position for position, _ in records])
    assert set(jumps[:-1]) - {160} or jumps[-1] > 160  # the numbers say where audio is missing
    assert all(len(samples) == 160 for _, samples in records)


def test_a_reader_that_is_gone_is_noticed_once(pipe) -> None:
    tap, stream = pipe
    stream.close()
    tap.push(np.ones(160, np.float32))
    assert tap.broken
    tap.push(np.ones(160, np.float32))
    tap.close()
    tap.close()
    tap.push(np.ones(160, np.float32))


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 15, b"\0" * 8 + b"\xff" * 8 + b"\0" * 9000, b"\0" * 8 + b"\x05" + b"\0" * 7],
)
def test_a_torn_pipe_ends(data: bytes) -> None:
    assert list(read_records(io.BytesIO(data))) == []


def test_speech_is_found_in_a_background() -> None:
    random = np.random.default_rng(0)
    background = (0.003 * random.standard_normal(4 * RATE)).astype(np.float32)
    audio = background.copy()
    audio[int(1.5 * RATE) : int(2.5 * RATE)] += tone(1.0)
    detector = UtteranceDetector(RATE)
    blocks = audio.reshape(-1, detector.block)
    speaking = [detector.push(block) for block in blocks]
    changes = [
        index * 0.02 for index in range(1, len(blocks)) if speaking[index] != speaking[index - 1]
    ]
    assert changes == pytest.approx([1.5, 3.0], abs=0.03)
    assert len(detector.before) == 10
    assert not any(map(UtteranceDetector(RATE).push, silence(1).reshape(-1, 320)))


class FakeRecogniser:
    """Says one word per half second that it heard."""

    def __init__(self) -> None:
        self.heard: list[np.ndarray] = []
        self.utterances: list[float] = []

    def begin(self) -> None:
        self.heard = []

    def feed(self, audio: np.ndarray) -> None:
        self.heard.append(audio)

    def end(self) -> list[HeardWord]:
        seconds = sum(map(len, self.heard)) / RATE
        self.utterances.append(seconds)
        count = int(seconds / 0.5)
        return [HeardWord(f"word{i}", 0.5 * i, 0.5 * i + 0.4) for i in range(count)]


class Written:
    """What a job wrote and said."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.lines: list[str] = []
        self.output = TapOutput(self.text.append, self.lines.append)


def words_of(*pieces: np.ndarray, hop: int = 160, skip: range = range(0)) -> tuple[str, Written]:
    written = Written()
    job = WordsJob(FakeRecogniser(), RATE, written.output)
    audio = np.concatenate(pieces)
    for start in range(0, len(audio), hop):
        if start // hop not in skip:
            job.take(start, audio[start : start + hop])
    job.finish()
    return "".join(written.text), written


@pytest.mark.parametrize("hop", [80, 160, 333, 4096])
def test_subtitles_stand_where_the_words_were_said(hop: int) -> None:
    srt, written = words_of(silence(1), tone(1), silence(2), tone(1), silence(1), hop=hop)
    times = re.findall(r"(\d+)\n00:00:0(\S+),(\d)\d\d --> 00:00:0(\S+),(\d)\d\d\n(.*)\n\n", srt)
    assert [number for number, *_ in times] == ["1", "2"]
    starts = [int(s) + int(tenth) / 10 for _, s, tenth, *_ in times]
    assert starts == pytest.approx([0.8, 3.8], abs=0.11)
    assert times[0][-1] == "word0 word1 word2"
    assert len(written.text) == 2  # each subtitle is written whole
    assert re.fullmatch(r" {4}0\.\d s  words  \"word0 word1 word2\"", written.lines[0])


def test_speech_without_a_pause_is_cut() -> None:
    srt, _ = words_of(silence(0.5), tone(14), silence(1))
    assert srt.count("-->") == 3


def test_speech_at_the_end_is_written() -> None:
    srt, _ = words_of(silence(0.5), tone(1.2))
    assert srt.count("-->") == 1
    assert srt.endswith("\n\n")


def test_a_gap_ends_the_utterance_and_keeps_the_time() -> None:
    srt, _ = words_of(silence(1), tone(4), silence(1), skip=range(200, 350))
    starts = re.findall(r"00:00:0(\d),\d+ -->", srt)
    assert starts == ["0", "3"]


def test_a_subtitle() -> None:
    text = "twenty times that evening the two men shook hands and then they left"
    assert Cue(3661.5, 3661.7, text).srt(12) == (
        "12\n01:01:01,500 --> 01:01:02,500\n"
        "twenty times that evening the two men\nshook hands and then they left\n\n"
    )


def voiced(pitch: np.ndarray, loudness: np.ndarray | float = 1.0) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    return (0.1 * loudness * sum(np.sin(k * phase) / k for k in range(1, 12))).astype(np.float32)


TIME = np.arange(3 * RATE) / RATE
FOUR_A_SECOND = 0.5 + 0.45 * np.sin(2 * np.pi * 4 * TIME)


@pytest.mark.parametrize(
    ("audio", "pitch", "semitones", "rate"),
    [
        (voiced(np.full(3 * RATE, 110.0)), 110, 0.0, 0.0),
        (voiced(110 * 2 ** (TIME / 3)), 155.6, 9.5, 0.0),
        (voiced(np.full(3 * RATE, 220.0), FOUR_A_SECOND), 220, 0.0, 4.0),
        (silence(3), None, None, 0.0),
        (0.1 * np.random.default_rng(0).standard_normal(3 * RATE), None, None, 0.0),
    ],
    ids=["level tone", "one octave up", "four syllables a second", "silence", "noise"],
)
def test_prosody(
    audio: np.ndarray, pitch: float | None, semitones: float | None, rate: float
) -> None:
    made = measure_prosody(audio.astype(np.float32), RATE)
    if pitch is None:
        assert (made.pitch_hz, made.pitch_range_st) == (None, None)
    else:
        assert made.pitch_hz == pytest.approx(pitch, rel=0.01)
        assert made.pitch_range_st == pytest.approx(semitones, abs=0.3)
    assert made.syllables_per_s == pytest.approx(rate, abs=0.4)
    assert made.energy_db == pytest.approx(10 * np.log10(np.mean(audio**2) + 1e-12), abs=1e-3)


@pytest.mark.parametrize("hop", [160, 480, 40_000])
def test_mood_is_a_line_per_second(hop: int) -> None:
    written = Written()
    job = MoodJob(RATE, written.output)
    audio = np.concatenate([tone(2), silence(1.5)])
    for start in range(0, len(audio), hop):
        job.take(start, audio[start : start + hop])
    job.finish()
    rows = [json.loads(line) for line in written.text]
    assert [row["t"] for row in rows] == [1, 2, 3]
    assert rows[0]["pitch_hz"] == pytest.approx(150, abs=1)
    assert rows[2]["energy_db"] == -120
    assert "pitch 150 Hz, range 0.0 st" in written.lines[0]


def test_mood_counts_what_was_dropped_as_silence() -> None:
    written = Written()
    job = MoodJob(RATE, written.output)
    job.take(0, tone(1))
    job.take(10 * RATE, tone(1))
    rows = [json.loads(line) for line in written.text]
    assert [row["t"] for row in rows] == [1, 8, 9, 10, 11]
    assert [row["energy_db"] == -120 for row in rows] == [False, True, True, True, False]


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def feed(tap: PipeTap, seconds: float) -> None:
    for hop in tone(seconds).reshape(-1, 160):
        tap.push(hop)


MOOD = TapSettings(RATE, "pocketsphinx")


def test_a_process_writes_its_file(tmp_path: Path) -> None:
    lines: list[str] = []
    place = tmp_path / "mood.jsonl"
    process = TapProcess(TapChoice("mood", str(place)), MOOD, lines.append)
    feed(process.tap, 2.5)
    process.close()
    wait_for(lambda: place.exists() and place.read_text().count("\n") == 2)
    assert json.loads(place.read_text().splitlines()[1])["t"] == 2
    assert lines in ([], ["tap mood: completes its output in the background"])


def test_a_full_disk_is_told_with_the_files_name() -> None:
    lines: list[str] = []
    process = TapProcess(TapChoice("mood", "/dev/full"), MOOD, lines.append)
    feed(process.tap, 2.5)

    def ended() -> bool:
        process.poll()
        return len(lines) > 1

    wait_for(ended)
    process.close()
    assert lines[0] == "tap: error: /dev/full: No space left on device"


def test_without_a_file_its_lines_are_shown() -> None:
    lines: list[str] = []
    process = TapProcess(TapChoice("mood", None), MOOD, lines.append)
    feed(process.tap, 1)

    def shown() -> bool:
        process.poll()
        return bool(lines)

    wait_for(shown)
    process.close()
    assert lines[0].startswith("    1.0 s  mood  pitch 150 Hz")


def test_a_killed_tap_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    lines: list[str] = []
    place = tmp_path / "mood.jsonl"
    process = TapProcess(TapChoice("mood", str(place)), MOOD, lines.append)
    feed(process.tap, 1)
    wait_for(lambda: place.exists() and place.read_text().count("\n") == 1)
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    feed(process.tap, 1)
    process.poll()
    process.poll()
    process.close()
    assert lines == ["tap mood: ended (signal 9); the run goes on"]
    assert process.tap.broken
    assert len(place.read_text().splitlines()) == 1  # what it wrote is whole


def test_a_signal_to_everybody_does_not_cut_the_file_short(tmp_path: Path) -> None:
    place = tmp_path / "mood.jsonl"
    process = TapProcess(TapChoice("mood", str(place)), MOOD, print)
    feed(process.tap, 1)
    wait_for(lambda: place.exists() and place.read_text().count("\n") == 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process._process.pid, number)
    feed(process.tap, 1)
    process.close()
    wait_for(lambda: place.read_text().count("\n") == 2)


def test_the_file_is_completed_when_the_run_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "mood.jsonl"
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_runtime_taps import MOOD, feed
from edge_vc_runtime.taps.options import TapChoice
from edge_vc_runtime.taps.process import TapProcess
process = TapProcess(TapChoice("mood", {str(place)!r}), MOOD, print)
feed(process.tap, 3)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=60)
    assert done.returncode == -9
    wait_for(lambda: place.exists() and place.read_text().count("\n") == 3)


def test_listeners_hear_the_stream_that_was_chosen(tmp_path: Path) -> None:
    taps = (TapChoice("mood", str(tmp_path / "m")),)
    for stream in ("input", "output"):
        made = TapListeners(TapOptions(taps, stream), RATE, print)
        assert (len(made.input_taps), len(made.output_taps)) == (
            (1, 0) if stream == "input" else (0, 1)
        )
        made.poll()
        made.close()
        made.close()


def test_a_missing_recogniser_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge_vc_runtime.taps.recognisers.find_spec", lambda name: None)
    options = TapOptions((TapChoice("mood", None), TapChoice("words", None)))
    with pytest.raises(TapError, match=r"pocketsphinx: pip install 'edge-vc-runtime\[words\]'"):
        TapListeners(options, RATE, print)
    with pytest.raises(TapError, match="no recogniser 'whisper', choose from pocketsphinx"):
        TapListeners(TapOptions((TapChoice("words", None),), recogniser="whisper"), RATE, print)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--tap", "dance"], "'dance'; it has to be words[=FILE] or mood[=FILE]"),
        (["--tap", "words="], "'words='; it has to be"),
        (["--tap", "mood", "--tap", "mood"], "--tap was given twice"),
        (["--tap", "mood=x", "--tap", "words=x"], "is given for two outputs"),
        (["--tap", "mood=none/m.jsonl"], "--tap none/m.jsonl: its folder does not exist"),
        (["--tap", "words=."], "--tap .: is a folder"),
        (["--tap-stream", "both"], "invalid choice: 'both'"),
        (["--tap", "words", "--recogniser", "whisper"], "no recogniser 'whisper'"),
    ],
)
def test_bad_values_stop_before_audio(
    mini: Path, arguments: list[str], fact: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["run", str(mini), "-q", *arguments])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert fact in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [["--tap", "mood"], ["--report", "r.json"], ["--metrics", "0"], ["--seconds", "5"]]
)
def test_live_options_are_refused_for_a_recording(
    mini: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(mini), "in.wav", "out.wav", *option]) == 2
    assert f"error: {option[0]} is for a live voice; leave it, or" in capsys.readouterr().err
