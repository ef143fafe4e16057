"""`edge-vc validate`, here and with `--remote`: figures of the golden recording, side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import listed, mini_contents, write_bundle
from runtime_installs_disk import mini_version
from typer.testing import CliRunner, Result

from edge_vc.audio.io import write_audio
from edge_vc.cli import app
from edge_vc_boards.flash.remote_speech import speech_figures
from edge_vc_boards.testing import FakeBoard
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.schema.fields import FieldError
from edge_vc_runtime.validation.quality import output_quality
from edge_vc_runtime.validation.validation import Validation, validate_bundle


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["validate", *arguments], prog_name="edge-vc")


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBoard:
    """A board with only the runtime and a bundle."""
    made = FakeBoard(tmp_path / "board")
    monkeypatch.setenv("PATH", made.path())
    root = made.file("/opt/edge-vc")
    (root / "venv/bin").mkdir(parents=True)
    (root / "current").mkdir()
    (made.folder / "bin/venv-edge-vc-rt").rename(root / "venv/bin/edge-vc-rt")
    mini_version(root / "current/bundle.evc", "1.0")
    return made


def test_host_and_board_stand_side_by_side(board: FakeBoard, tmp_path: Path) -> None:
    bundle = mini_version(tmp_path / "mini.evc", "1.0")
    written = tmp_path / "board.json"
    done = validate(str(bundle), "--remote", "pi@fake", "--json", str(written))
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("mini 1.0")
    assert "here (" in lines[0]
    assert "pi@fake (" in lines[0]
    assert done.stdout.count("the same to the last bit") == 2
    assert {model.precision for model in _models(written.read_bytes())} == {"int8", "fp32"}
    goldens, speech = board.commands()
    assert goldens.endswith("/current/bundle.evc --engine auto --threads 1 --json -")
    assert speech.endswith("/current/bundle.evc - - --raw --quiet --engine auto --threads 1")
    assert done.stdout.count("same sound") == 1
    assert "SNR to the host's output (dB)   -" in done.stdout
    figures = Validation.from_json(written.read_bytes()).speech
    assert figures is not None
    assert figures.snr_db == 200
    assert figures.spectral_distance_db == 0


def test_a_recording_is_carried_there_and_a_wrong_sound_is_seen(
    board: FakeBoard, tmp_path: Path
) -> None:
    bundle = mini_version(tmp_path / "mini.evc", "1.0")
    time = np.arange(12 * 16000) / 16000
    voice = sum(np.sin(2 * np.pi * 120 * n * time + np.sin(5 * time)) / n for n in range(1, 20))
    write_audio(tmp_path / "voice.wav", (0.1 * voice).astype(np.float32), 16000)
    words = (str(bundle), "--remote", "pi@fake", "--speech", str(tmp_path / "voice.wav"))
    done = validate(*words)
    assert done.exit_code == 0, done.stderr
    assert "speech of 10.0 s" in done.stdout
    program = board.file("/opt/edge-vc/venv/bin/edge-vc-rt")
    real = program.read_text().partition("\n")[2]
    silence = "cat >/dev/null; head -c 320000 /dev/zero"
    program.write_text(f'#!/bin/sh\n[ "$1" != run ] || {{ {silence}; exit; }}\n{real}')
    done = validate(*words)
    assert done.exit_code == 1
    assert "OUTSIDE" in done.stdout
    program.write_text(f'#!/bin/sh\n[ "$1" != run ] || {{ {silence}; echo x; exit; }}\n{real}')
    done = validate(*words)
    assert done.exit_code == 2
    assert "its shell prints something of its own" in done.stderr
    done = validate(str(bundle), "--remote", "pi@fake", "--speech", str(tmp_path / "none.wav"))
    assert done.exit_code == 2
    assert "--speech " in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_figures_of_speech_know_level_and_spectrum() -> None:
    noise = np.random.default_rng(7).normal(0, 0.05, 16000).astype(np.float32)
    _, same = speech_figures(noise, noise, noise, 16000)
    assert (same.snr_db, same.same_sound) == (200, True)
    _, softer = speech_figures(noise, noise, noise / 2, 16000)
    assert softer.snr_db == pytest.approx(6.02, abs=0.01)
    assert not softer.same_sound
    _, dull = speech_figures(noise, noise, np.convolve(noise, np.ones(9) / 3, "same"), 16000)
    assert abs(dull.level_db - same.level_db) < 0.5
    assert not dull.same_sound


def _models(data: bytes) -> list:
    return list(Validation.from_json(data).models)


def test_another_sound_there_is_seen(board: FakeBoard, tmp_path: Path) -> None:
    """The board's model is another one than its golden recording was made with."""
    bundle = mini_version(tmp_path / "mini.evc", "1.0")
    program = board.file("/opt/edge-vc/venv/bin/edge-vc-rt")
    good = validate_bundle(read_bundle(bundle))
    worse = [
        replace(each, equal=False, difference=0.5, quality=replace(each.quality, sha256="0" * 64))
        for each in good.models
    ]
    said = replace(good, models=tuple(worse)).to_json()
    (tmp_path / "said.json").write_text(said)
    real = program.rename(program.with_name("real"))
    script = f'[ "$1" != run ] || exec {real} "$@"\ncat {tmp_path}/said.json\nexit 1\n'
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    done = validate(str(bundle), "--remote", "pi@fake")
    assert done.exit_code == 1
    assert done.stdout.count("OUTSIDE") == 2
    assert done.stdout.count("differ\n") == 2
    assert "5.0e-01" in done.stdout


def test_another_bundle_there_is_refused(board: FakeBoard, tmp_path: Path) -> None:
    other = mini_version(tmp_path / "other.evc", "2.0")
    done = validate(str(other), "--remote", "pi@fake")
    assert done.exit_code == 2
    assert "has another bundle, 'mini 1.0'; edge-vc flash" in done.stderr
    done = validate(str(other), "--remote=pi@fake", "--root", "edge-vc")
    assert done.exit_code == 2
    assert "edge-vc flash BUNDLE brings it there" in done.stderr


@pytest.mark.parametrize("said", ["", "{}", '{"models": 5}', "[" * 9999])
def test_what_is_no_validation_is_one_line(board: FakeBoard, tmp_path: Path, said: str) -> None:
    bundle = mini_version(tmp_path / "mini.evc", "1.0")
    (tmp_path / "said").write_text(said)
    program = board.file("/opt/edge-vc/venv/bin/edge-vc-rt")
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/said\n")
    done = validate(str(bundle), "--remote", "pi@fake")
    assert done.exit_code == 2
    assert "sent no validation" in done.stderr
    assert done.stderr.count("\n") == 1


def test_here_alone(tmp_path: Path) -> None:
    manifest, files = mini_contents()
    files["model.fp32.onnx"] = files["model.int8.onnx"]
    wrong = write_bundle(tmp_path / "wrong.evc", listed(manifest, files), files)
    assert CliRunner().invoke(app, ["validate", str(wrong)]).exit_code in (0, 1)
    done = validate_bundle(read_bundle(wrong))
    assert [model.equal for model in done.models if model.precision == "fp32"] == [False]
    assert not done.passed
    assert Validation.from_json(done.to_json().encode()) == done
    with pytest.raises(FieldError):
        Validation.from_json(json.dumps({**json.loads(done.to_json()), "x": 1}).encode())


def test_the_figures_of_known_signals() -> None:
    time = np.arange(16000) / 16000
    sine = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    found = output_quality(sine, sine, 16000)
    assert found.level_db == pytest.approx(-9.03, abs=0.01)
    assert found.peak_db == pytest.approx(-6.02, abs=0.01)
    assert found.spectral_distance_db == 0
    assert found.clipped_percent == 0
    noise = np.random.default_rng(3).normal(0, 0.1, 16000).astype(np.float32)
    softer = output_quality(noise / 2, noise, 16000)
    assert softer.spectral_distance_db == pytest.approx(6.02, abs=0.01)
    assert softer.sha256 != found.sha256
    assert output_quality(np.sign(sine), sine, 16000).clipped_percent > 99
    gated = np.where(time < 0.2, 0, sine).astype(np.float32)
    assert output_quality(gated, sine, 16000).noise_floor_db == -100
    broken = output_quality(np.full(160, np.nan, np.float32), sine[:160], 16000)
    assert broken.level_db is None
    assert output_quality(sine[:0], sine[:0], 16000).level_db is None


def test_the_help_says_how() -> None:
    assert "--remote USER@HOST" in validate("--help").stdout
