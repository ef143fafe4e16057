"""Systems are scored alike, and the same input gives the same report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bars import Bar
from rich.console import Console
from safetensors.numpy import save_file
from typer.testing import CliRunner

from edge_vc.audio.io import Samples, read_audio
from edge_vc.cli import app as host
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.cli import app
from edge_vc.evaluate.evaluation import EvaluationOptions, evaluate, with_audio_beside
from edge_vc.evaluate.report.report import EvaluationReport
from edge_vc.evaluate.report.tables import all_tables
from edge_vc.evaluate.selection import select_sentences
from edge_vc.evaluate.systems.systems import ConversionSystem, load_systems
from edge_vc.settings.optional import EvaluationError


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
    systems = [
        ConversionSystem.of("oracle", lambda samples: oracle[samples.tobytes()], "teacher"),
        ConversionSystem.of("softer", lambda samples: 0.5 * oracle[samples.tobytes()], "student"),
        ConversionSystem.of("mute", np.zeros_like),
    ]
    return evaluate(systems, evaluation_corpus, EvaluationOptions(per_speaker=1))


def value(report: EvaluationReport, name: str, key: str) -> float:
    """Return one overall figure."""
    estimate = report.systems[name].overall[key]
    assert estimate is not None, (name, key)
    return float(estimate.value)


def test_the_more_similar_voice_scores_higher(report: EvaluationReport) -> None:
    assert value(report, "oracle", "similarity") > value(report, "source", "similarity") + 0.1
    assert value(report, "mute", "similarity") == 0.0
    topline = report.topline.overall["similarity"]
    assert topline is not None
    assert value(report, "source", "similarity") + 0.1 < topline.value <= 1.0 + 1e-6


def test_missing_speech_is_word_errors(report: EvaluationReport) -> None:
    assert value(report, "mute", "word_error_rate") > 0.9
    assert value(report, "source", "word_error_rate") < 0.6
    if value(report, "source", "word_error_rate") > 0:
        assert value(report, "source", "word_error_ratio") == 1.0
        assert value(report, "mute", "word_error_ratio") > 1.5


def test_prosody_and_timbre_are_the_targets(report: EvaluationReport) -> None:
    assert value(report, "oracle", "mcd_db") < 0.5 * value(report, "source", "mcd_db")
    assert value(report, "source", "f0_correlation") == pytest.approx(1.0)
    assert abs(value(report, "oracle", "f0_shift")) < 10 < abs(value(report, "source", "f0_shift"))
    mute = report.systems["mute"].overall
    assert mute["f0_shift"] is None
    assert mute["f0_correlation"] is None
    assert mute["mcd_db"] is None


def test_differences_are_from_the_teacher_and_paired(report: EvaluationReport) -> None:
    assert report.baseline == "oracle"
    assert report.systems["oracle"].deltas is None
    softer = report.systems["softer"].deltas
    assert softer is not None
    assert softer["mcd_db"] is not None
    # A gain changes no timbre; were sentences not paired the interval would be wide.
    assert softer["mcd_db"].high - softer["mcd_db"].low < 0.1
    assert abs(softer["mcd_db"].value) < 0.05


def test_students_are_compared_with_their_teacher(report: EvaluationReport) -> None:
    (pair,) = report.comparisons
    assert (pair.name, pair.against, pair.condition) == ("softer", "oracle", "clean")
    assert pair.overall["snr_db"] is not None
    assert pair.overall["snr_db"].value == pytest.approx(20 * np.log10(2), abs=0.01)
    assert pair.overall["stoi"] is not None
    assert pair.overall["stoi"].value > 0.999
    assert pair.overall["pesq"] is not None
    assert pair.overall["pesq"].value > 4.5
    assert set(pair.speakers) == {"en-us+m3", "en-us+m7"}


def test_report_holds_every_sentence(report: EvaluationReport) -> None:
    parsed = json.loads(report.to_json())
    assert parsed["schema"] == 3
    assert parsed["target"] == "en-us+f3"
    source = parsed["systems"]["source"]
    assert [s["utt_id"] for s in source["sentences"]] == ["u0", "u2"]
    assert set(source["speakers"]) == {"en-us+m3", "en-us+m7"}
    assert set(source["sexes"]) == {"M"}
    words = source["sentences"][0]["scores"]["word_error_rate"]
    assert words["total"] == len(parsed["sentences"][0]["text"].split()) == 11
    assert set(source["overall"]) == {metric["key"] for metric in parsed["metrics"]}
    assert parsed["sentences"][1]["target_text"] == parsed["sentences"][1]["text"]


def test_tables_show_systems_pairs_and_speakers(report: EvaluationReport) -> None:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        for table in all_tables(report, 160):
            console.print(table)
    text = console.export_text()
    for word in ("source", "oracle", "mute", "topline", "en-us+m7", "softer against oracle"):
        assert word in text
    assert "0.000" in text


def test_same_input_same_figures(report: EvaluationReport, evaluation_corpus: Corpus) -> None:
    """Whoever else takes part, and whatever was measured before."""
    options = EvaluationOptions(per_speaker=1)
    again = evaluate(load_systems("source"), evaluation_corpus, options, (bar := Bar()))
    first, second = (one.systems["source"] for one in (report, again))
    assert replace(first, deltas=None) == replace(second, deltas=None)
    assert again.topline == report.topline
    assert bar.shown == [(5, "evaluate")]
    assert bar.done == [0, 1, 2, 3, 4]


@pytest.mark.slow  # three evaluations, one in two fresh interpreters
def test_two_runs_and_more_processes_give_the_same_report(
    evaluation_corpus: Corpus, project_root: Path, tmp_path: Path
) -> None:
    nano = load_systems(str(project_root / "edge_vc/assets/kathleen-nano.evc"))
    options = EvaluationOptions(per_speaker=1)
    alone = evaluate(nano, evaluation_corpus, options)
    together = evaluate(nano, evaluation_corpus, replace(options, jobs=2))
    assert alone.to_json() == together.to_json()
    assert alone.to_json() == evaluate(nano, evaluation_corpus, options).to_json()


@pytest.mark.slow  # starts two interpreters with torch
def test_what_a_process_cannot_open_is_said_by_the_first(
    evaluation_corpus: Corpus, tmp_path: Path
) -> None:
    save_file({"x": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    systems = load_systems(str(tmp_path / "other.safetensors"))
    with pytest.raises(EvaluationError, match="neither a student nor a teacher"):
        evaluate(systems, evaluation_corpus, EvaluationOptions(per_speaker=1, jobs=2))


@pytest.mark.slow  # scores every sentence three times
def test_noise_harms_and_the_harm_is_measured(evaluation_corpus: Corpus) -> None:
    options = EvaluationOptions(per_speaker=1, noise_db=0.0)
    report = evaluate(load_systems("source"), evaluation_corpus, options)
    assert set(report.noisy) == {"babble 0 dB", "shaped 0 dB"}
    for scores in report.noisy.values():
        drop = scores["source"].since_clean
        assert drop is not None
        assert drop["dnsmos_background"] is not None
        assert drop["dnsmos_background"].high < 0
        assert drop["similarity"] is not None
        assert drop["similarity"].value < 0


def test_selection_is_disjoint_and_spread(evaluation_corpus: Corpus) -> None:
    chosen = select_sentences(evaluation_corpus)
    ids = [[u.utt_id for u in part] for part in (chosen.centroid, chosen.topline, chosen.sources)]
    assert ids == [["u4", "u6"], ["u5", "u7", "u8"], ["u0", "u1", "u2", "u3"]]
    one = select_sentences(evaluation_corpus, per_speaker=1)
    assert [u.utt_id for u in one.sources] == ["u0", "u2"]
    assert one.voices == chosen.sources
    wider = select_sentences(evaluation_corpus, more_text=["something else entirely"])
    assert wider.sources == chosen.sources
    assert set(wider.sentences) - set(chosen.sentences) == {"something else entirely"}


def test_parallel_recordings_have_the_same_words(evaluation_corpus: Corpus) -> None:
    chosen = select_sentences(evaluation_corpus)
    first = chosen.parallel.to(chosen.sources[0])
    assert first is not None
    assert first.utt_id == "u4"
    shouted = replace(chosen.sources[0], text=chosen.sources[0].text.upper().replace(".", "!"))
    assert chosen.parallel.to(shouted) == first
    retake = chosen.parallel.to(first)
    assert retake is not None
    assert retake.utt_id == "u8"
    assert chosen.parallel.to(replace(first, text="")) is None


def test_corpora_without_the_roles_are_refused(evaluation_corpus: Corpus) -> None:
    source = load_systems("source")
    with pytest.raises(EvaluationError, match="0 utterances of role unseen-source"):
        evaluate(source, evaluation_corpus.select(role="target-reference"))
    with pytest.raises(EvaluationError, match="0 sentences per speaker"):
        select_sentences(evaluation_corpus, per_speaker=0)
    lonely = tuple(u for u in evaluation_corpus if u.role == "unseen-source" or u.utt_id == "u4")
    with pytest.raises(EvaluationError, match="1 of target-reference; .* needs 1 and 2 or more"):
        evaluate(source, Corpus(evaluation_corpus.root, lonely))


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (EvaluationOptions(jobs=0), "0 jobs"),
        (EvaluationOptions(noise_db=99.0), "noise at 99 dB"),
        (EvaluationOptions(against=("zebra",)), "--against zebra"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_options_that_make_no_sense(
    evaluation_corpus: Corpus, options: EvaluationOptions, fact: str
) -> None:
    with pytest.raises(EvaluationError, match=fact):
        evaluate(load_systems("source"), evaluation_corpus, options)


def test_corpus_without_text_has_empty_columns_not_zeros(evaluation_corpus: Corpus) -> None:
    silent = Corpus(
        evaluation_corpus.root, tuple(replace(u, text="") for u in evaluation_corpus.utterances)
    )
    report = evaluate(load_systems("source"), silent, EvaluationOptions(per_speaker=1))
    score = report.systems["source"].overall
    for empty in ("word_error_rate", "word_error_ratio", "character_error_rate", "mcd_db"):
        assert score[empty] is None
    assert score["similarity"] is not None
    assert report.unknown_words == ()
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(next(all_tables(report, 120)))
    rows = [line.split() for line in console.export_text().splitlines()]
    row = next(cells for cells in rows if cells[:1] == ["source"])
    assert row[2:4] == ["-", "-"]


def test_command_prints_writes_and_keeps(evaluation_corpus: Corpus, tmp_path: Path) -> None:
    corpus = str(evaluation_corpus.root)
    out, plot, audio = tmp_path / "report.json", tmp_path / "plot.png", tmp_path / "audio"
    options = ["--corpus", corpus, "--per-speaker", "1", "--json", str(out), "--plot", str(plot)]
    options += ["--audio", str(audio)]
    result = CliRunner().invoke(host, ["evaluate", "source", *options])
    assert result.exit_code == 0, result.output
    assert "topline" in result.output
    parsed = json.loads(out.read_text())
    assert parsed["systems"]["source"]["name"] == "source"
    assert parsed["audio"] == "audio"
    assert plot.read_bytes().startswith(b"\x89PNG")
    [source] = (audio / "clean" / "source").glob("en-us-m3_u0-*.flac")  # of the speaker en-us+m3
    kept = read_audio(source, 16000)
    original = evaluation_corpus.utterances[0].read(16000)
    assert np.abs(kept - original).max() < 1e-4
    assert [*(audio / "clean" / "target").glob("en-us-f3_u4-*.flac")]
    assert not list(audio.rglob("*.part*"))


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["zebra"], "zebra: nothing to evaluate"),
        (["source", "--json", "nowhere/report.json"], "folder does not exist"),
    ],
    ids=["system", "folder"],
)
def test_command_refuses_in_one_line(
    evaluation_corpus: Corpus, arguments: list[str], fact: str
) -> None:
    corpus = str(evaluation_corpus.root)
    refused = CliRunner().invoke(app, [*arguments, "--corpus", corpus])
    assert refused.exit_code == 2
    assert fact in refused.output
    assert refused.output.startswith("edge-vc evaluate: error: ")
    assert refused.output.count("\n") == 1


def test_a_report_names_no_folder_outside_its_own(report: EvaluationReport, tmp_path: Path) -> None:
    kept = replace(report, audio=str(tmp_path / "audio"))
    assert with_audio_beside(kept, tmp_path / "report.json").audio == "audio"
    assert with_audio_beside(kept, tmp_path / "deeper" / "report.json").audio is None
