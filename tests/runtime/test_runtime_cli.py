"""The board command as a user runs it: in a process of its own, with pipes and signals."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import time
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from runtime_bundles import delay_model, listed, mini_contents, write_bundle, write_mini

from edge_vc_runtime.arguments import build_parser
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.cli import main
from edge_vc_runtime.verbs import EXIT_CODES, VERBS

COMMAND = [sys.executable, "-m", "edge_vc_runtime"]


def rt(
    *arguments: str | Path, data: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, timeout=60, cwd=cwd)


def here(
    arguments: Sequence[str | Path], capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def recording(tmp_path: Path, speech: np.ndarray) -> Path:
    path = tmp_path / "in.wav"
    soundfile.write(path, speech, 16000)
    return path


def test_run_keeps_length_and_place(
    mini: Path, recording: Path, tmp_path: Path, speech: np.ndarray,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    code, out, err = here(["run", mini, recording, tmp_path / "out.wav"], capsys)
    assert (code, out) == (0, "")
    audio, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert rate == 16000
    np.testing.assert_allclose(audio, speech, atol=5e-5)
    assert "mini 0.1.0: model.fp32.onnx" in err
    assert "engine onnx (onnxruntime " in err
    assert "20.0 ms algorithmic latency" in err
    assert "resampled" not in err
    assert f"of {-(-(len(speech) + 160) // 160)} late" in err


@pytest.mark.parametrize(
    ("rate", "channels", "subtype"),
    [(44100, 2, "PCM_16"), (96000, 6, "PCM_24"), (8000, 1, "PCM_U8"), (48000, 1, "FLOAT")],
)
def test_any_rate_and_channel_count_said_so(
    mini: Path, tmp_path: Path, rate: int, channels: int, subtype: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    frames = rate // 2 + 1
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(frames) / rate)
    soundfile.write(tmp_path / "in.wav", np.stack([tone] * channels, 1), rate, subtype=subtype)
    code, _, err = here(["run", mini, tmp_path / "in.wav", tmp_path / "out.wav"], capsys)
    assert code == 0
    assert f"{rate} Hz, channels: {channels}; resampled to 16000 Hz" in err
    assert ("mixed to one channel" in err) == (channels > 1)
    audio, out_rate = soundfile.read(tmp_path / "out.wav", always_2d=True)
    assert (audio.shape, out_rate) == ((-(-frames * 16000 // rate), 1), 16000)
    same = tmp_path / "same.wav"
    code, _, _ = here(["run", mini, tmp_path / "in.wav", same, "--output-rate", rate], capsys)
    assert soundfile.info(same).frames == frames
    assert soundfile.info(same).samplerate == rate


@pytest.mark.parametrize("length", [1, 100, 159, 160])
def test_shorter_than_a_hop(mini: Path, tmp_path: Path, length: int) -> None:
    soundfile.write(tmp_path / "in.wav", np.full(length, 0.25), 16000)
    assert main(["run", "-q", str(mini), str(tmp_path / "in.wav"), str(tmp_path / "o.wav")]) == 0
    audio, _ = soundfile.read(tmp_path / "o.wav")
    np.testing.assert_array_equal(audio, np.full(length, 0.25))


def test_silence_stays_silence(mini: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(5000), 16000)
    assert main(["run", "-q", str(mini), str(tmp_path / "in.wav"), str(tmp_path / "o.wav")]) == 0
    audio, _ = soundfile.read(tmp_path / "o.wav")
    np.testing.assert_array_equal(audio, np.zeros(5000))


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["nowhere.evc", "in.wav", "out.wav"], "nowhere.evc: No such file"),
        (["in.wav", "in.wav", "out.wav"], "in.wav: is not a bundle"),
        (["BUNDLE", "nowhere.wav", "out.wav"], "nowhere.wav: No such file"),
        (["BUNDLE", "text.wav", "out.wav"], "text.wav: is not audio"),
        (["BUNDLE", "empty.wav", "out.wav"], "empty.wav: is not audio"),
        (["BUNDLE", "nan.wav", "out.wav"], "nan.wav: sample 0 is NaN or infinite"),
        (["BUNDLE", "in.wav", "no/out.wav"], "does not exist"),
        (["BUNDLE", "in.wav", "out.txt"], "out.txt: cannot write .txt; use .wav"),
        (["BUNDLE", "in.wav", "out.wav", "--threads", "0"], "threads is 0"),
        (["BUNDLE", "in.wav", "out.wav", "--engine", "gpu"], "no engine 'gpu'"),
        (
            ["BUNDLE", "in.wav", "out.wav", "--precision", "int4"],
            "has no int4 model, only int8",
        ),
        (["BUNDLE", "in.wav", "out.wav", "--output-rate", "1"], "--output-rate is 1 Hz"),
        (["BUNDLE", "in.wav", "out.wav", "--input-rate", "8000"], "a file gives its own rate"),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_bad_input_is_one_line_and_exit_2(
    mini: Path, recording: Path, tmp_path: Path, arguments: list[str], fact: str,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "text.wav").write_text("no audio\n" * 100)
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "nan.wav", np.full(10, np.nan), 16000, subtype="FLOAT")
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    named = [str(mini) if a == "BUNDLE" else a for a in arguments]
    code, out, err = here(["run", "-q", *named], capsys)
    assert (code, out) == (2, "")
    assert fact in err
    assert err.startswith("edge-vc-rt run: error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert sorted(tmp_path.iterdir()) == before


def test_raw_through_a_pipe(mini: Path, speech: np.ndarray) -> None:
    values = (speech * 32768).astype("<i2")
    done = rt("run", "-q", mini, "-", "-", data=values.tobytes())
    assert (done.returncode, done.stderr) == (0, b"")
    np.testing.assert_array_equal(np.frombuffer(done.stdout, "<i2"), values)
    slow = rt("run", mini, "-", "-", "--input-rate", "48000", data=values.tobytes())
    assert len(slow.stdout) == 2 * -(-len(values) // 3)
    assert b"resampled to 16000 Hz" in slow.stderr
    none = rt("run", mini, "-", "-")
    assert none.returncode == 2
    assert b"stdin: holds no samples" in none.stderr


def test_a_hop_comes_back_before_the_next_goes_in(tmp_path: Path) -> None:
    mini = write_mini(tmp_path / "a.evc", delay=1)
    with subprocess.Popen(
        [*COMMAND, "run", "-q", str(mini), "-", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for turn in range(1, 6):
            child.stdin.write(np.full(160, turn, "<i2").tobytes())
            child.stdin.flush()
            got = np.frombuffer(os.read(child.stdout.fileno(), 4096), "<i2")
            assert got.shape[0] == (159 if turn == 1 else 160)
            assert got[-1] == turn
        child.stdin.close()
        assert len(child.stdout.read()) == 2
    assert child.returncode == 0


def test_reader_that_goes_away(mini: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "run", "-q", str(mini), "-", "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        try:
            child.stdin.write(bytes(100_000))
            child.stdin.close()
        except BrokenPipeError:
            pass
        assert child.stderr.read() == b""
    assert child.returncode == 141


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)
def test_signals_leave_nothing_half_written(
    mini: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "out.wav"
    out.write_text("what was there")
    with subprocess.Popen(
        [*COMMAND, "run", str(mini), "-", str(out)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdin.write(bytes(3200))
        child.stdin.flush()
        deadline = time.monotonic() + 30
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(list(tmp_path.iterdir())) == 2
        child.send_signal(number)
        errors = child.stderr.read()
    assert child.returncode == code
    assert b"Traceback" not in errors
    assert list(tmp_path.iterdir()) == [out]
    assert out.read_text() == "what was there"


def test_terminal_gets_no_raw_audio(mini: Path, recording: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*COMMAND, "run", "-q", str(mini), str(recording), "-"],
        stdout=theirs, stderr=subprocess.PIPE, timeout=60,
    )  # fmt: skip
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert b"stdout is a terminal" in done.stderr


def test_inspect(mini: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = here(["inspect", mini], capsys)
    assert code == 0
    assert "mini 0.1.0, CC0-1.0" in out
    assert "model.fp32.onnx: fp32, nano" in out
    code, out, _ = here(["inspect", mini, "--json"], capsys)
    assert json.loads(out)["hop"] == 160


def test_inspect_check_replays_the_golden(
    mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = here(["inspect", mini, "--check"], capsys)
    assert code == 0
    assert "golden int8 onnx (onnxruntime " in out
    assert out.count(": equal") == 2


def test_inspect_check_sees_another_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, files = mini_contents()
    files["model.int8.onnx"] = delay_model(160, 160, gain=0.501)
    bundle = write_bundle(tmp_path / "a.evc", listed(manifest, files), files)
    code, out, _ = here(["inspect", bundle, "--check"], capsys)
    assert code == 1
    assert re.search(r"golden int8 onnx \(.*\): DIFFERENT, .* off, 54\.0 dB \(allowed", out)
    assert re.search(r"golden fp32 onnx \(.*\): equal", out)


NEEDS = {
    "run": ["none.evc", "in.wav", "out.wav"],
    "profile": ["none.evc"],
    "inspect": ["none.evc"],
    "verify": ["none.evc"],
    "validate": ["none.evc"],
    "devices": [],
    "choose": ["none.evc"],
    "report": ["none.json"],
    "install": ["none.evc"],
    "installed": [],
    "rollback": [],
    "uninstall": [],
    "unit": [],
    "control": ["status"],
    "measure-latency": [],
}
"""The arguments that each verb must have, naming files that do not exist; none for some."""


def test_every_verb_is_covered() -> None:
    assert list(NEEDS) == list(VERBS) == list(EXIT_CODES)


@pytest.mark.parametrize("command", NEEDS)
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([command, "--help"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    assert "exit codes: 0 " in out
    assert out.startswith(f"usage: edge-vc-rt {command}")


@pytest.mark.parametrize("command", NEEDS)
def test_a_wrong_flag_is_one_line_of_its_verb(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        main([command, *NEEDS[command], "--hlep"])
    assert done.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith(f"edge-vc-rt {command}: error: unrecognized arguments: --hlep")
    assert line.endswith(f"did you mean --help?; see edge-vc-rt {command} --help")


@pytest.mark.parametrize(
    "command", [name for name, needs in NEEDS.items() if "none." in "".join(needs)]
)
def test_a_missing_file_is_one_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    code, out, err = here([command, *NEEDS[command]], capsys)
    assert (code, out) == (2, "")
    assert err == f"edge-vc-rt {command}: error: {NEEDS[command][0]}: No such file or directory\n"


def test_control_characters_of_a_name_are_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, err = here(["inspect", tmp_path / "a\x1b[31m\rb.evc"], capsys)
    assert "a\\x1b[31m b.evc: No such file" in err
    assert "\x1b" not in err


def test_bundles_may_be_located_by_the_caller(
    mini: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def locate(given: str) -> str:
        if given != "mine":
            raise BundleError(f"no bundle {given!r}")
        return str(mini)

    assert main(["inspect", "mine"], locate=locate) == 0
    assert "mini 0.1.0" in capsys.readouterr().out
    assert main(["inspect", "yours"], locate=locate) == 2
    assert capsys.readouterr().err == "edge-vc-rt inspect: error: no bundle 'yours'\n"


def test_usage_errors_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["walk"], ["inspect"]):
        with pytest.raises(SystemExit) as done:
            main(arguments)
        assert done.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("edge-vc-rt")
        assert line.endswith(" --help")


def peak_mb(mini: Path, recording: Path, out: Path) -> float:
    """Convert in a new process and return the most memory it ever held."""
    script = (
        "import resource, sys; from edge_vc_runtime.cli import main; code = main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3); raise SystemExit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "run", "-q", str(mini), str(recording), str(out)],
        capture_output=True, timeout=500, check=True,
    )  # fmt: skip
    return float(done.stdout)


def silent_wav(path: Path, seconds: int) -> Path:
    """A sparse stereo file at 16 kHz: long without filling the disk."""
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(4))
    size = 4 * 16000 * seconds
    with path.open("r+b") as raw:
        raw.seek(40)
        raw.write(struct.pack("<I", size))
        raw.truncate(44 + size)
    return path


@pytest.mark.parametrize("seconds", [120, pytest.param(7200, marks=pytest.mark.slow)])
def test_memory_does_not_grow_with_the_recording(mini: Path, tmp_path: Path, seconds: int) -> None:
    short = peak_mb(mini, silent_wav(tmp_path / "s.wav", 1), tmp_path / "s-out.wav")
    long = peak_mb(mini, silent_wav(tmp_path / "l.wav", seconds), tmp_path / "l-out.wav")
    assert soundfile.info(tmp_path / "l-out.wav").frames == 16000 * seconds
    assert long < short + 3


def test_a_terminal_sees_how_far_it_is(mini: Path, tmp_path: Path) -> None:
    """The bar comes when a conversion takes longer than a moment, and goes again."""
    recording = silent_wav(tmp_path / "long.wav", 3600)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "run", str(mini), str(recording), str(tmp_path / "out.wav")], stderr=theirs
    ) as child:
        os.close(theirs)
        seen = b""
        while b"of 3600 s" not in seen:
            piece = os.read(ours, 4096)
            assert piece, "ended without a bar"
            seen += piece
        child.send_signal(signal.SIGINT)
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # the terminal's other side is closed
                break
    os.close(ours)
    assert child.returncode == 130
    assert b"mini [" in seen
    assert b"%" in seen
    assert seen.rstrip().endswith(b"interrupted; no partial output is left")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["long.wav"]


def test_run_takes_in_and_out_together(mini: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(mini), "--threads", "1", "in.wav"]) == 2
    assert "OUT is missing: give IN and OUT, or neither for a live voice" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["a", "-q", "b", "-"], ["-q", "a", "b", "-"], ["a", "b", "--threads", "2", "-", "-q"]],
)
def test_options_may_stand_between_bundle_in_and_out(arguments: list[str]) -> None:
    found = build_parser().parse_args(["run", *arguments])
    assert (found.bundle, found.input, found.output, found.quiet) == ("a", "b", "-", True)
