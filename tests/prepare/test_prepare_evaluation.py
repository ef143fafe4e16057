"""From anybody's folders to an evaluation corpus: by one flag, or by a folder for each role."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.selection import select_sentences
from edge_vc.prepare.preparation import prepare
from edge_vc.prepare.settings import PrepareError, PrepareSettings
from edge_vc.settings.optional import EvaluationError

SETTINGS = PrepareSettings(denoise="none", target="speaker0", evaluation=True)


def hashes(corpus: Corpus) -> set[str]:
    return {hashlib.sha256(utterance.path.read_bytes()).hexdigest() for utterance in corpus}


def test_a_part_is_set_aside_and_nothing_learns_from_it(recordings: Path, tmp_path: Path) -> None:
    for path in recordings.rglob("*.wav"):
        path.with_suffix(".txt").write_text(f"This is {path.stem} of {path.parent.name}")
    out = tmp_path / "out"
    prepare(recordings, out, SETTINGS)
    left, held = Corpus.open(out), Corpus.open(out / "evaluation")
    assert {u.role for u in left} == {"source"}, "the target has two sentences, both are needed"
    assert {u.role for u in held} == {"target-reference", "unseen-source"}
    unseen = {u.speaker for u in held.select("unseen-source")}
    assert unseen
    assert not unseen & {u.speaker for u in left}
    assert {u.speaker for u in held.select("target-reference")} == {"speaker0"}
    assert not hashes(left) & hashes(held)
    assert not hashes(Corpus.open(out / "train")) & hashes(held)
    assert len(left) + len(held) == 8
    assert len(select_sentences(held).sources) == len(held.select("unseen-source"))
    assert any(u.text.startswith("This is take") for u in held)
    before = {u.path.relative_to(out) for u in held}
    prepare(recordings, out, SETTINGS)
    assert {u.path.relative_to(out) for u in Corpus.open(out / "evaluation")} == before


@pytest.mark.parametrize(
    ("target", "speakers", "fact"),
    [
        ("", 4, "Give --target NAME, one of speaker0, speaker1"),
        ("anna", 4, "--target anna: no such speaker; speakers are speaker0"),
        ("speaker0", 2, "needs two speakers besides the target"),
    ],
)
def test_what_cannot_be_evaluated_is_said_before_the_work(
    recordings: Path, tmp_path: Path, target: str, speakers: int, fact: str
) -> None:
    for number in range(speakers, 4):
        shutil.rmtree(recordings / f"speaker{number}")
    settings = PrepareSettings(target=target, evaluation=True)
    with pytest.raises(PrepareError) as error:
        prepare(recordings, tmp_path / "out", settings)
    assert fact in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_for_each_role_is_an_evaluation_corpus(recordings: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "eval"
    shutil.copytree(recordings / "speaker0", corpus / "target-reference")
    for name in ("speaker1", "speaker2"):
        shutil.copytree(recordings / name, corpus / "unseen-source" / name)
    (corpus / "unseen-source" / "speaker1" / "take0.txt").write_text("good morning")
    chosen = select_sentences(Corpus.open(corpus))
    assert {u.speaker for u in chosen.sources} == {"speaker1", "speaker2"}
    assert {u.speaker for u in (*chosen.centroid, *chosen.topline)} == {"target"}
    assert "good morning" in chosen.sentences


def test_without_roles_evaluate_says_how(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="prepare RECORDINGS -o DIR --target NAME"):
        select_sentences(Corpus.open(recordings))
    out = tmp_path / "out"
    prepare(recordings, out, SETTINGS)
    with pytest.raises(EvaluationError, match=f"give --corpus {out}/evaluation"):
        select_sentences(Corpus.open(out))


def test_what_was_prepared_without_can_be_gone_on_with(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(recordings, out, PrepareSettings(denoise="none"))
    state = json.loads((out / ".prepare" / "run.json").read_text())
    assert not {"target", "evaluation"} & set(state["settings"])
    with pytest.raises(PrepareError, match="another target, evaluation"):
        prepare(recordings, out, SETTINGS)
    shutil.rmtree(out)
    prepare(recordings, out, SETTINGS)
    with pytest.raises(PrepareError, match="another target, evaluation"):
        prepare(recordings, out, PrepareSettings(denoise="none"))


def test_features_of_what_was_all_set_aside(recordings: Path, tmp_path: Path) -> None:
    """The target has two recordings, and of the others one alone is good for anything."""
    out = tmp_path / "out"
    prepare(recordings, out, SETTINGS)
    learnt = {u.speaker for u in Corpus.open(out)}
    for name in learnt:
        for path in (recordings / name).glob("*.wav"):
            soundfile.write(path, np.zeros(16000), 16000)
    words = ["prepare", str(recordings), "-o", str(tmp_path / "made"), "--denoise", "none"]
    words += ["--target", "speaker0", "--evaluation", "--features", "f0"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "all of it was set aside" in done.stderr
    assert "give more recordings of the target or of other speakers" in done.stderr
    assert len(Corpus.open(tmp_path / "made" / "evaluation")) >= 4


@pytest.mark.slow
def test_from_recordings_to_figures_by_the_command_line(recordings: Path, tmp_path: Path) -> None:
    """As somebody does who has the documentation alone."""
    pytest.importorskip("resemblyzer")
    out, report = tmp_path / "corpus", tmp_path / "report.json"
    steps = [
        ["prepare", recordings, "-o", out, "--target", "speaker0", "--evaluation"],
        ["evaluate", "source", "kathleen-nano", "--corpus", out / "evaluation",
         "--per-speaker", "1", "--json", report],
        ["report", report, "-o", tmp_path / "page.html"],
    ]  # fmt: skip
    for words in steps:
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output
    assert json.loads(report.read_text())["target"] == "speaker0"
    assert (tmp_path / "page.html").is_file()
