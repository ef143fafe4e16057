"""The command prints what became of the recordings, and one line when it cannot."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from edge_vc.audio.feature_set import FEATURES
from edge_vc.data.corpus import Corpus
from edge_vc.prepare.cli import app
from edge_vc.prepare.preparation import prepare
from edge_vc.prepare.settings import PrepareSettings
from edge_vc.prepare.summary import as_json, speaker_rows, total_row

RUNNER = CliRunner()


def run(*arguments: object) -> tuple[int, str]:
    done = RUNNER.invoke(app, [*map(str, arguments)], env={"COLUMNS": "120"})
    return done.exit_code, done.output


def test_a_folder_becomes_a_corpus(recordings: Path, tmp_path: Path) -> None:
    (recordings / "bad.wav").write_text("no")
    code, text = run(recordings, "-o", tmp_path / "out", "--format", "wav")
    assert code == 0, text
    for part in ("speaker0", "validation", "unreadable", "bad.wav: not readable", "prepare.png"):
        assert part in text
    report = json.loads((tmp_path / "out" / "prepare.json").read_text())
    assert report["recordings"] == 9
    assert report["total"]["pieces"] == len(Corpus.open(tmp_path / "out")) == 8
    assert report["dropped"]["unreadable"]["count"] == 1
    assert (tmp_path / "out" / "prepare.png").read_bytes().startswith(b"\x89PNG")


def test_features_are_written_beside_the_corpus(recordings: Path, tmp_path: Path) -> None:
    code, text = run(recordings, "-o", tmp_path / "out", "--features", ",".join(FEATURES))
    assert code == 0, text
    found = sorted((tmp_path / "out" / "features").rglob("*.npz"))
    assert len(found) == len(Corpus.open(tmp_path / "out")) == 8
    with np.load(found[0]) as arrays:
        shapes = {name: arrays[name].shape for name in ("log_mel", "mfcc", "f0_hz")}
    frames = shapes["f0_hz"][0]
    assert shapes == {"log_mel": (80, frames), "mfcc": (39, frames), "f0_hz": (frames,)}
    assert "prepare.png, features" in text
    assert all(name in run("--help")[1] for name in FEATURES)


def test_a_dry_run_writes_nothing(recordings: Path, tmp_path: Path) -> None:
    code, text = run(recordings, "-o", tmp_path / "out", "--dry-run")
    assert code == 0, text
    assert "8 recordings" in text
    assert "4 speakers; 0.0 min are prepared" in text
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["none", "-o", "out"], "no such folder"),
        (["{in}", "-o", "{in}"], "is an input"),
        (["{in}", "-o", "{in}/deep"], "is within"),
        (["{in}", "-o", "out", "--denoise", "magic"], "denoise is 'magic'; give wiener or"),
        (["{in}", "-o", "out", "--variants", "1", "--noise", "{empty}"], "holds no recordings"),
        (["{in}", "-o", "out", "--max-seconds", "0.1"], "max_seconds is 0.1"),
        (["{in}", "-o", "out", "--features", "f0,mel"], "feature 'mel' is not one of stft, log"),
    ],
)
def test_what_cannot_begin_is_one_line(
    recordings: Path, tmp_path: Path, arguments: list[str], fact: str
) -> None:
    (tmp_path / "empty").mkdir()
    filled = [a.format(**{"in": recordings, "empty": tmp_path / "empty"}) for a in arguments]
    filled = [str(tmp_path / a) if a in ("none", "out") else a for a in filled]
    code, text = run(*filled)
    assert code == 2
    assert text.startswith("edge-vc prepare: error: ")
    assert fact in text
    assert text.count("\n") == 1


def test_summary_counts_by_speaker(recordings: Path, tmp_path: Path) -> None:
    soundfile.write(recordings / "speaker3" / "silent.wav", np.zeros(32000), 16000)
    prepared = prepare(recordings, tmp_path / "out")
    rows = {row.name: row for row in speaker_rows(prepared)}
    assert rows["speaker3"].dropped == 1
    assert all(row.pieces == 2 for row in rows.values())
    assert all(row.level_after_db == pytest.approx(-23, abs=0.5) for row in rows.values())
    total = total_row(prepared)
    assert total.minutes == pytest.approx(sum(row.minutes for row in rows.values()), abs=0.03)
    assert total.snr_after_db >= total.snr_before_db
    json.loads(as_json(prepared, PrepareSettings()))


def test_any_name_can_be_shown(sentences: list[np.ndarray], tmp_path: Path) -> None:
    for number, name in enumerate(("声 $x^{", "[bold]", "Größe|" + "long " * 60)):
        folder = tmp_path / "in" / name[:200]
        folder.mkdir(parents=True)
        soundfile.write(folder / f"{name[:30]}.wav", sentences[number], 16000)
    code, text = run(tmp_path / "in", "-o", tmp_path / "out")
    assert code == 0, text
    assert "声" in text
    assert "[bold]" in text
    corpus = Corpus.open(tmp_path / "out")
    assert len(corpus) == len(corpus.speakers) == 3


def test_nothing_kept_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "silent.wav", np.zeros(32000), 16000)
    code, text = run(tmp_path / "in", "-o", tmp_path / "out")
    assert code == 0, text
    assert "no speech" in text
    assert "nan" not in (tmp_path / "out" / "prepare.json").read_text().lower()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT], ids=lambda kind: kind.name)
def test_a_killed_command_goes_on(
    sentences: list[np.ndarray], tmp_path: Path, kind: signal.Signals
) -> None:
    folder = tmp_path / "in" / "anna"
    folder.mkdir(parents=True)
    for number in range(60):
        soundfile.write(folder / f"{number:02d}.wav", sentences[number % 8], 16000)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "edge_vc", "prepare", folder.parent, "-o", out, "--jobs", "2"]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while len(list(out.rglob("*.flac"))) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(kind)
        _, errors = process.communicate(timeout=60)
    if kind is signal.SIGINT:
        assert process.returncode == 130
        last = errors.decode().splitlines()[-1]
        assert last.startswith(
            "edge-vc prepare: interrupted; to resume, run the same command again"
        )
        assert last.endswith(shlex.join(["edge-vc", *map(str, command[3:])]))
    assert not (out / "metadata.csv").exists()
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    corpus = Corpus.open(out)
    assert len(corpus) == 8
    assert {u.path for u in corpus} == set(out.rglob("*.flac"))
    assert all(u.read(16000).size for u in corpus)
