"""Contenders are scored alike, deterministically, and refused when their audio is unusable."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from edge_vc.audio.io import AudioError, Samples, write_audio
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.cli import app
from edge_vc.evaluate.contenders import at_rate, converted, load_contenders
from edge_vc.evaluate.evaluation import evaluate
from edge_vc.evaluate.requirements import EvaluationError
from edge_vc.evaluate.scores import EvaluationReport
from edge_vc.evaluate.selection import select_sentences
from edge_vc.evaluate.tables import overview_table, speaker_table


def say_it_as_the_target(corpus: Corpus) -> dict[bytes, Samples]:
    """Map each source recording to the target's own recording of the same text."""
    target = {u.text: u.read(16000) for u in corpus.select(role="target-reference")}
    return {
        u.read(16000).tobytes(): np.resize(target[u.text], u.read(16000).shape)
        for u in corpus.select(role="unseen-source")
    }


@pytest.fixture(scope="module")
def report(evaluation_corpus: Corpus) -> EvaluationReport:
    oracle = say_it_as_the_target(evaluation_corpus)
    contenders = {
        "source": lambda samples: samples,
        "oracle": lambda samples: oracle[samples.tobytes()],
        "mute": np.zeros_like,
    }
    return evaluate(contenders, evaluation_corpus)


def test_the_better_voice_wins(report: EvaluationReport) -> None:
    scores = {name: score.overall.similarity.value for name, score in report.contenders.items()}
    assert scores["oracle"] > scores["source"] + 0.1
    assert scores["mute"] == 0.0
    assert report.ceiling.overall.similarity.value > scores["source"] + 0.1
    assert report.ceiling.overall.similarity.value <= 1.0 + 1e-6


def test_what_is_not_said_is_not_heard(report: EvaluationReport) -> None:
    rates = {name: score.overall.word_error_rate for name, score in report.contenders.items()}
    assert rates["mute"] is not None
    assert rates["source"] is not None
    assert rates["mute"].value > 0.9
    assert rates["source"].value < 0.6


def test_report_holds_every_sentence(report: EvaluationReport) -> None:
    parsed = json.loads(report.to_json())
    assert parsed["schema"] == 1
    assert parsed["target"] == "en-us+f3"
    source = parsed["contenders"]["source"]
    assert [s["utt_id"] for s in source["sentences"]] == ["u0", "u1", "u2", "u3"]
    assert set(source["speakers"]) == {"en-us+m3", "en-us+m7"}
    hearing = source["sentences"][0]["hearing"]
    assert hearing["words"] == len(hearing["said"].split()) == 11


def test_tables_show_contenders_and_speakers(report: EvaluationReport) -> None:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(overview_table(report))
        console.print(speaker_table(report))
    text = console.export_text()
    for word in ("source", "oracle", "mute", "ceiling", "en-us+m7", "0.000"):
        assert word in text


def test_same_input_same_report(evaluation_corpus: Corpus) -> None:
    told: list[tuple[int, int]] = []
    first = evaluate(load_contenders("source"), evaluation_corpus, 1, lambda *n: told.append(n))
    second = evaluate(load_contenders("source"), evaluation_corpus, 1)
    assert first.to_json() == second.to_json()
    assert told[0] == (1, 5)
    assert told[-1] == (5, 5)


def test_selection_is_disjoint_and_spread(evaluation_corpus: Corpus) -> None:
    chosen = select_sentences(evaluation_corpus)
    ids = [[u.utt_id for u in part] for part in (chosen.centroid, chosen.ceiling, chosen.sources)]
    assert ids == [["u4", "u6"], ["u5", "u7", "u8"], ["u0", "u1", "u2", "u3"]]
    one = select_sentences(evaluation_corpus, per_speaker=1)
    assert [u.utt_id for u in one.sources] == ["u0", "u2"]


def test_corpora_without_the_roles_are_refused(evaluation_corpus: Corpus) -> None:
    with pytest.raises(EvaluationError, match="0 utterances of role unseen-source"):
        evaluate(load_contenders("source"), evaluation_corpus.select(role="target-reference"))
    with pytest.raises(EvaluationError, match="0 sentences per speaker"):
        select_sentences(evaluation_corpus, per_speaker=0)
    with pytest.raises(EvaluationError, match="no contenders"):
        evaluate({}, evaluation_corpus)


def test_corpus_without_text_has_no_error_rates(evaluation_corpus: Corpus) -> None:
    silent = Corpus(
        evaluation_corpus.root, tuple(replace(u, text="") for u in evaluation_corpus.utterances)
    )
    score = evaluate(load_contenders("source"), silent, per_speaker=1).contenders["source"].overall
    assert score.word_error_rate is None
    assert score.similarity.value > 0


@pytest.mark.parametrize(
    ("result", "fact"),
    [
        (np.zeros(5, np.float32), r"shape \[5\]"),
        (np.full(8, np.nan, np.float32), "8 samples not finite"),
    ],
)
def test_unusable_conversions_are_refused(
    evaluation_corpus: Corpus, result: Samples, fact: str
) -> None:
    utterance = evaluation_corpus.utterances[0]
    with pytest.raises(EvaluationError, match=fact):
        converted(lambda samples: result, utterance, np.zeros(8, np.float32))


@pytest.mark.parametrize("name", ["u0.wav", "u0_converted.flac"])
def test_folders_are_contenders(evaluation_corpus: Corpus, tmp_path: Path, name: str) -> None:
    (contender,) = load_contenders(str(tmp_path)).values()
    utterance = evaluation_corpus.utterances[0]
    samples = utterance.read(16000)
    with pytest.raises(EvaluationError, match=r"has no u0\.wav"):
        converted(contender, utterance, samples)
    write_audio(tmp_path / name, samples, 16000)
    assert np.abs(converted(contender, utterance, samples) - samples).max() < 1e-4
    (tmp_path / name).write_bytes(b"broken")
    with pytest.raises(AudioError, match="not readable"):
        converted(contender, utterance, samples)


def test_unknown_contenders_are_named() -> None:
    with pytest.raises(EvaluationError, match=r"zebra: nothing to evaluate"):
        load_contenders("zebra")
    with pytest.raises(EvaluationError, match=r"no such teacher weights"):
        load_contenders("zebra.safetensors")


@pytest.mark.parametrize("length", [1000, 16001])
def test_other_rates_keep_length(length: int) -> None:
    rates: list[int] = []

    def convert(samples: Samples) -> Samples:
        rates.append(samples.size)
        return samples

    time = np.arange(length) / 16000
    samples = (0.5 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)
    result = at_rate(convert, 24000)(samples)
    assert result.shape == samples.shape
    assert rates == [int(np.ceil(length * 1.5))]
    assert np.abs(result - samples)[100:-100].max() < 0.02


def test_command_prints_and_writes(evaluation_corpus: Corpus, tmp_path: Path) -> None:
    parent = typer.Typer()
    parent.add_typer(app, name="evaluate")
    parent.command("other")(lambda: None)
    corpus = str(evaluation_corpus.root)
    out, plot = tmp_path / "report.json", tmp_path / "plot.png"
    options = ["--corpus", corpus, "--per-speaker", "1", "--json", str(out), "--plot", str(plot)]
    result = CliRunner().invoke(parent, ["evaluate", "source", *options])
    assert result.exit_code == 0, result.output
    assert "ceiling" in result.output
    assert json.loads(out.read_text())["contenders"]["source"]["name"] == "source"
    assert plot.read_bytes().startswith(b"\x89PNG")
    refused = CliRunner().invoke(parent, ["evaluate", "zebra", "--corpus", corpus])
    assert refused.exit_code == 2
    assert "zebra: nothing to evaluate" in refused.output
