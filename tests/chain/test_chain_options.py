"""The command line's part: options, recordings through the chain, speed."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import soundfile
from chain_signals import Audio, DelayConverter, buzz, largest_step, level_db

from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.chain.options import ChainOptions, add_chain_options
from edge_vc_runtime.chain.parameters import DECLARED
from edge_vc_runtime.chain.time_stretch import TimeStretch
from edge_vc_runtime.cli import main
from edge_vc_runtime.live.offline import convert_array


def options(*arguments: str) -> ChainOptions:
    parser = argparse.ArgumentParser()
    add_chain_options(parser)
    return ChainOptions.from_arguments(parser.parse_args(arguments))


def test_every_parameter_is_an_option() -> None:
    for parameter in DECLARED:
        value = [] if parameter.switch else [f"{parameter.high:g}"]
        given = options(parameter.option, *value, *["--backing", "x"])
        assert given.values == {parameter.name: parameter.high}
        if parameter.switch:
            assert options(f"--no-{parameter.option[2:]}").values == {parameter.name: 0.0}
    assert not options().chain_asked


def test_a_recording_gets_what_was_asked_for_and_a_live_voice_its_defaults() -> None:
    recording = options("--pitch", "-2").build(DelayConverter(), live=False)
    assert (recording.parameters["pitch"], recording.parameters["gate"]) == (-2, 0)
    assert recording.added_delay == 160
    gated = options("--gate").build(DelayConverter(), live=False)
    assert gated.added_delay == 960, "the gate of a recording looks ahead"
    live = options("--no-gate").build(DelayConverter(), live=True)
    assert (live.parameters["gate"], live.parameters["level_follow"]) == (0, 1)
    assert options().build(DelayConverter(), live=True).added_delay == 0


def test_an_empty_name_of_a_track_is_not_passed_over() -> None:
    assert options("--backing", "").chain_asked
    assert not options().chain_asked


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--backing-gain", "3"], "need --backing FILE"),
        (["--backing-offset", "3"], "need --backing FILE"),
        (["--backing", "x", "--speed", "2"], "give one of them"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], fact: str) -> None:
    with pytest.raises(ChainError, match=fact):
        options(*arguments)


@pytest.mark.parametrize("text", ["13", "nan", "1e999", "high", ""])
def test_a_value_out_of_range_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--pitch", "--speed", "--backing-offset=1e9", "--gate-lookahead=-1"):
        with pytest.raises(SystemExit):
            options(option, *([] if "=" in option else [text]))
        assert f"argument {option.partition('=')[0]}: " in capsys.readouterr().err


def test_speed_is_for_recordings() -> None:
    with pytest.raises(ChainError, match="--speed is for recordings"):
        options("--speed", "2").build(DelayConverter(), live=True)


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.0, 1.3, 2.0])
def test_speed_keeps_the_pitch(speed: float) -> None:
    audio = buzz(1.0, 150.0)
    stretch = TimeStretch(16000, speed)
    parts = [stretch.push(audio[i : i + 333]) for i in range(0, len(audio), 333)]
    out = np.concatenate([*parts, stretch.finish()])
    assert len(out) == round(len(audio) / speed)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert np.argmax(spectrum) * 16000 / len(out) == pytest.approx(150, abs=2)
    assert level_db(out) == pytest.approx(level_db(audio), abs=0.3)
    assert largest_step(out[500:-800]) < 1.2 * largest_step(audio)
    if speed == 1.0:
        np.testing.assert_allclose(out, audio, atol=1e-6)


@pytest.mark.parametrize("length", [0, 1, 100])
def test_speed_of_almost_nothing(length: int) -> None:
    stretch = TimeStretch(16000, 2.0)
    out = np.concatenate([stretch.push(np.zeros(length, np.float32)), stretch.finish()])
    assert len(out) == round(length / 2)


def run(bundle: Path, source: Path, place: Path, *more: str) -> Audio:
    assert main(["run", "-q", str(bundle), str(source), str(place), *more]) == 0
    audio, rate = soundfile.read(place, dtype="float32")
    assert rate == 16000
    return audio


@pytest.fixture
def recording(tmp_path: Path, arctic: Audio) -> Path:
    soundfile.write(tmp_path / "in.wav", arctic[:32000], 16000)
    return tmp_path / "in.wav"


@pytest.fixture
def bundle(project_root: Path) -> Path:
    return project_root / "edge_vc" / "assets" / "kathleen-nano.evc"


def test_recordings_through_the_command(bundle: Path, recording: Path, tmp_path: Path) -> None:
    plain = run(bundle, recording, tmp_path / "a.wav")
    source, _ = soundfile.read(recording, dtype="float32")
    dry = run(bundle, recording, tmp_path / "b.wav", "--mix", "0")
    np.testing.assert_allclose(dry, source, atol=1e-4)
    louder = run(bundle, recording, tmp_path / "c.wav", "--gain", "3")
    assert len(louder) == len(plain)
    assert level_db(louder) == pytest.approx(level_db(plain) + 3, abs=0.7)
    faster = run(bundle, recording, tmp_path / "d.wav", "--speed", "1.25")
    assert len(faster) == round(len(plain) / 1.25)
    followed = run(bundle, recording, tmp_path / "e.wav", "--level-follow", "--gate")
    assert level_db(followed) == pytest.approx(level_db(source), abs=3)


def test_a_chain_is_a_converter_like_any_other(arctic: Audio) -> None:
    chain = Chain(DelayConverter())
    out = convert_array(chain, arctic[:8000])
    assert len(out) == 8000
    match = np.correlate(out, arctic[:8000], "full")
    assert abs(int(np.argmax(match)) - 7999) <= 3  # aligned, but for the high-pass's phase


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["--backing", "none.wav"], "none.wav: No such file"),
        (["--control", "x"], "for a live voice"),
    ],
)
def test_a_refusal_is_one_line(
    bundle: Path, recording: Path, tmp_path: Path, arguments: list[str], fact: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    place = tmp_path / "out.wav"
    assert main(["run", "-q", str(bundle), str(recording), str(place), *arguments]) == 2
    error = capsys.readouterr().err
    assert fact in error
    assert error.count("\n") == 1
    assert not place.exists()
