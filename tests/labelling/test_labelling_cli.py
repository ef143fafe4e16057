from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import soundfile
from labelling_toys import late
from typer.testing import CliRunner
from voices import record

from edge_vc.labelling.cli import app
from edge_vc.labelling.folder import LabelFolder
from edge_vc.labelling.labels import load_labels
from edge_vc.labelling.report import load_report
from edge_vc.workers.inline_pool import InlinePool


def invoke(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def recipe(folder: Path, **settings) -> Path:
    spec = late(folder, **settings)
    path = folder / "late.toml"
    path.write_text(f'[teacher]\nkind = "module"\nfactory = "{spec.factory}"\n')
    return path


@pytest.mark.slow
def test_a_corpus_becomes_labels_and_pairs(tmp_path):
    corpus = record(tmp_path / "recordings", 4)
    (corpus / "02.wav").write_bytes((corpus / "01.wav").read_bytes()[:200])
    corpus_args = (corpus, "--teacher", recipe(tmp_path, samples=800), "-o", tmp_path / "out")
    code, output = invoke(*corpus_args, "--workers", 1, "--wav")
    assert code == 1, output
    assert "done without 1 recordings that could not be read" in output
    assert re.search(
        r"output is (49|50)\.\d ms late \(median of 3 recordings\); removed in 3", output
    )
    assert "02.wav" in output
    assert "bad recording" in output
    assert "3 of 4 recordings labelled" in output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["dropped"] == {"bad recording": 1}
    assert len(list((tmp_path / "out" / "pairs").rglob("*_converted.wav"))) == 3


def test_a_bad_file_is_named_and_the_rest_is_done(tmp_path):
    corpus = record(tmp_path / "recordings", 1)
    (corpus / "._00.wav").write_bytes(b"\0\5\x16\7")
    arguments = (corpus, "--teacher", recipe(tmp_path), "-o", tmp_path / "out", "--workers", 1)
    code, output = invoke(*arguments)
    assert code == 0, output
    assert "._00.wav" in output
    (corpus / "zero.wav").touch()
    code, output = invoke(*arguments)
    assert code == 1, output
    assert "zero.wav: 0 bytes" in output
    assert "1 of 1 recordings labelled" in output


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(tmp_path):
    """SIGKILL to the command half way: its workers go, and nothing is done twice or lost."""
    corpus = record(tmp_path / "recordings", 12)
    args = ["label", str(corpus), "--teacher", str(recipe(tmp_path, seconds=0.3))]
    args += ["-o", str(tmp_path / "out"), "--workers", "2", "--delay", "none"]
    command = [sys.executable, "-m", "edge_vc", *args]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as job:
        wait_for(lambda: len(LabelFolder(tmp_path / "out").finished()) >= 4)
        job.send_signal(signal.SIGKILL)
    before = LabelFolder(tmp_path / "out").finished()
    assert 4 <= len(before) < 12
    pids = {int(line.split()[0]) for line in (tmp_path / "log").read_text().splitlines()}
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    asked_before = Counter((tmp_path / "log").read_text().split()[1::2])
    (tmp_path / "log").unlink()

    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "12 of 12 recordings labelled" in done.stderr
    after = LabelFolder(tmp_path / "out").finished()
    assert {key: after[key] for key in before} == before
    asked = Counter((tmp_path / "log").read_text().split()[1::2])
    # What the journal had was not asked again; what had no line was, and once.
    assert len(asked) == 12 - len(before)
    assert set(asked.values()) == {1}
    assert set(asked) | set(asked_before) == {str(32000 + 1600 * n) for n in range(12)}
    lines = (tmp_path / "out" / "journal.jsonl").read_text().splitlines()
    keys = [json.loads(line)["key"] for line in lines]
    assert len(keys) == len(set(keys)) == 12
    assert not list((tmp_path / "out").rglob("*.part"))


def wait_for(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(tmp_path):
    corpus = record(tmp_path / "recordings", 8)
    args = [str(corpus), "--teacher", str(recipe(tmp_path, seconds=0.5)), "-o", str(tmp_path / "o")]
    command = [sys.executable, "-m", "edge_vc", "label", *args, "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as job:
        wait_for(lambda: (tmp_path / "log").exists())
        os.killpg(job.pid, signal.SIGINT)
        _, said = job.communicate(timeout=60)
    assert job.returncode == 130
    assert f"to resume, run the same command again: edge-vc label {corpus}" in said.decode()
    assert "Traceback" not in said.decode()


def test_labels_and_pairs_are_at_the_sample_rate_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "edge_vc.workers.process_pool.ProcessPool", lambda opener, workers: InlinePool(opener)
    )
    corpus, out = record(tmp_path / "recordings", 1), tmp_path / "out"
    args = (corpus, "--teacher", recipe(tmp_path), "-o", out, "--delay", "none", "--wav")
    code, output = invoke(*args, "--sample-rate", 24000)
    assert code == 0, output
    (row,) = load_report(out).kept
    labels = load_labels(LabelFolder(out).path(row.outcome.key))
    assert labels.hop == 240
    assert len(labels.source) == pytest.approx(24000 * row.utterance.seconds, abs=240)
    pairs = list((out / "pairs").rglob("*.wav"))
    assert [soundfile.info(path).samplerate for path in pairs] == [24000, 24000]
    assert all(soundfile.info(path).frames == len(labels.source) for path in pairs)
    assert invoke(*args)[0] == 0  # at 16000 Hz, the default: labelled anew, into the same folder
    (row,) = load_report(out).kept
    assert load_labels(LabelFolder(out).path(row.outcome.key)).hop == 160
    code, output = invoke(*args, "--sample-rate", 7999)
    assert (code, "--sample-rate" in output, "8000" in output) == (2, True, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("CORPUS", "--teacher", "none.onnx"), "none.onnx"),
        (("CORPUS", "--teacher", "none.toml"), "none.toml: cannot be read"),
        (("CORPUS", "--teacher", "what"), "what: no teacher; give shipped"),
        (("nowhere", "--teacher", "shipped"), "nowhere: no such folder"),
        (("CORPUS", "--teacher", "shipped", "--delay", "soon"), "--delay soon: give auto, none or"),
        (("CORPUS", "--teacher", "CORPUS"), "holds no pair"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "CORPUS", 1, 0.5)
    code, output = invoke(*args, "-o", "out")
    assert code == 2
    assert words in output
    assert len(output.strip().splitlines()) == 1
    assert output.startswith("edge-vc label: error: ")


def test_a_file_is_no_folder_to_label_into(tmp_path):
    corpus = record(tmp_path / "recordings", 1, 0.5)
    (tmp_path / "out").write_text("")
    code, output = invoke(corpus, "--teacher", recipe(tmp_path), "-o", tmp_path / "out")
    assert code == 2
    assert "is a file; name a folder" in output


def test_help_teaches():
    code, output = invoke("--help")
    assert code == 0
    for word in (
        "shipped",
        "FILE.pt2",
        "--ray",
        "--workers",
        "report.json",
        "tries again",
        "130",
    ):
        assert word in output
