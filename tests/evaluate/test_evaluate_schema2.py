"""Reports saved under schema 2 are read as they were and still make a page.

``schema2.json`` is an evaluation of the synthetic corpus by the last version that wrote schema 2.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge_vc.evaluate.metrics.metric import Counts
from edge_vc.evaluate.report.bootstrap import Estimate
from edge_vc.evaluate.report.cli import app
from edge_vc.evaluate.report.reader import looks_like_evaluation, read_evaluation
from edge_vc.settings.optional import EvaluationError

OLD = Path(__file__).with_name("schema2.json")


@pytest.fixture
def old() -> Any:
    return json.loads(OLD.read_text())


def test_every_figure_is_kept(old: Any) -> None:
    report = read_evaluation(OLD)
    assert report.schema == 3
    assert report.sentence_count == len(report.sentences) == 4
    assert list(report.systems) == list(old["contenders"])
    pairs = [(old["ceiling"], report.topline)]
    pairs += [(old["contenders"][name], score) for name, score in report.systems.items()]
    for condition, scores in report.noisy.items():
        pairs += [(old["noisy"][condition][name], score) for name, score in scores.items()]
    for saved, score in pairs:
        assert plain(score.overall) == saved["overall"]
        assert {name: plain(one) for name, one in score.speakers.items()} == saved["speakers"]
        assert plain(score.deltas) == saved["deltas"]
        assert plain(score.since_clean) == saved["since_clean"]
    (pair,) = report.comparisons
    assert plain(pair.overall) == old["comparisons"][0]["overall"]
    assert pair.sentences[0].scores["pesq"] == old["comparisons"][0]["sentences"][0]["pesq"]


def plain(score: dict[str, Estimate | None] | None) -> dict[str, Any] | None:
    return score and {key: None if one is None else vars(one) for key, one in score.items()}


def test_sentences_have_counts_and_a_transcript(old: Any) -> None:
    first = read_evaluation(OLD).systems["softer"].sentences[0]
    saved = old["contenders"]["softer"]["sentences"][0]
    asr = saved["hearing"]
    assert first.transcript == asr["heard"]
    assert first.scores["word_error_rate"] == Counts(asr["word_errors"], asr["words"])
    assert first.scores["character_error_ratio"] == Counts(
        asr["character_errors"], asr["characters"]
    )
    assert first.scores["dnsmos_signal"] == saved["naturalness"]["signal"]
    assert first.scores["f0_error"] == abs(saved["f0_shift"])
    assert first.scores["f0_hz"] == saved["f0_hz"]


def unheard(value: Any) -> None:
    """Make a report of a corpus without texts."""
    for sentence in value["contenders"]["softer"]["sentences"]:
        sentence.update(hearing=None, naturalness=None, f0_shift=None, mcd_db=None)


def test_unknown_values_stay_unknown(old: Any, tmp_path: Path) -> None:
    unheard(old)
    path = tmp_path / "old.json"
    path.write_text(json.dumps(old))
    first = read_evaluation(path).systems["softer"].sentences[0]
    assert first.transcript is None
    for key in ("word_error_rate", "dnsmos", "f0_error", "mcd_db"):
        assert first.scores[key] is None


DAMAGE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no sentences": (lambda v: v.pop("sentences"), "sentences is missing"),
    "no systems": (lambda v: v.pop("contenders"), "contenders is missing"),
    "systems": (lambda v: v.update(contenders=[]), "contenders is a list, an object belongs"),
    "unknown key": (lambda v: v.update(extra=1), "extra is not a known key"),
    "score": (
        lambda v: v["ceiling"]["overall"]["similarity"].update(value="high"),
        r"topline\.overall\.similarity\.value is 'high'",
    ),
    "metric": (lambda v: v["ceiling"]["overall"].update(x=None), "x is not a metric of the report"),
    "asr": (
        lambda v: v["contenders"]["source"]["sentences"][0].update(hearing=3),
        "hearing is 3",
    ),
}


@pytest.mark.parametrize(("damage", "fact"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named(old: Any, tmp_path: Path, damage: Callable[[Any], Any], fact: str) -> None:
    damage(old)
    path = tmp_path / "old.json"
    path.write_text(json.dumps(old))
    with pytest.raises(EvaluationError, match=fact):
        read_evaluation(path)


@pytest.mark.parametrize("name", ["schema2.json", "voice.json"])
def test_old_reports_make_a_page(name: str, project_root: Path, tmp_path: Path) -> None:
    """``voice.json`` is condensed: it has no sentences, but their number."""
    path = OLD if name == OLD.name else project_root / "benchmarks" / "results" / name
    assert looks_like_evaluation(path)
    shown = CliRunner().invoke(app, [str(path), "-o", str(tmp_path / "page.html")])
    assert shown.exit_code == 0, shown.output
    assert "topline" in shown.output
    text = (tmp_path / "page.html").read_text()
    report = read_evaluation(path)
    assert f"{report.sentence_count} sentences of" in text
    for system in report.systems:
        assert f">{system}</th>" in text
    assert "MCD, dB ↓" in text


def test_names_of_any_folder_are_read_and_turn_no_text(old: Any, tmp_path: Path) -> None:
    """A speaker's folder may be called anything; what is written is read again and shown."""
    name = "u\u0308ber\u202etxt\u2066"
    named = json.loads(json.dumps(old).replace(f'"{old["target"]}"', json.dumps(name)))
    path, page = tmp_path / "named.json", tmp_path / "page.html"
    path.write_text(json.dumps(named))
    report = read_evaluation(path)
    assert report.target == name
    report.save(tmp_path / "again.json")
    assert read_evaluation(tmp_path / "again.json") == report
    for options in (["-o", str(page)], []):
        done = CliRunner().invoke(app, [str(path), *options])
        assert done.exit_code == 0, done.output
        assert not {"\u202e", "\u2066"} & {*done.output}
    shown = page.read_text()
    assert "u\u0308ber\\u202etxt\\u2066" in shown
    assert not {"\u202e", "\u2066"} & {*shown}


def test_benchmark_results_make_their_table(project_root: Path) -> None:
    folder = project_root / "benchmarks"
    made = subprocess.run(
        [sys.executable, folder / "table.py", folder / "results" / "voice.json"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "0.885" in made


@pytest.mark.parametrize("table", ["voice", "voice_second_16khz"])
def test_condensed_reports_are_read_again(project_root: Path, tmp_path: Path, table: str) -> None:
    folder, path = project_root / "benchmarks", tmp_path / "voice.json"
    subprocess.run(
        [sys.executable, folder / "voice.py", OLD, "--json", path, "--table", table],
        check=True, capture_output=True,
    )  # fmt: skip
    condensed, whole = read_evaluation(path), read_evaluation(OLD)
    assert (condensed.sentence_count, condensed.sentences) == (4, ())
    assert condensed.systems["softer"].overall == whole.systems["softer"].overall
    assert condensed.comparisons[0].overall == whole.comparisons[0].overall
    assert path.stat().st_size < 2 * OLD.stat().st_size
    made = subprocess.run(
        [sys.executable, folder / "table.py", path], capture_output=True, text=True, check=True
    ).stdout
    assert "| `topline (target)` |" in made


@pytest.mark.parametrize("table", ["latency", "voice_", "voice/second", "Voice"])
def test_a_condensed_report_keeps_a_name_that_is_read(
    project_root: Path, tmp_path: Path, table: str
) -> None:
    path = tmp_path / "voice.json"
    done = subprocess.run(
        [sys.executable, project_root / "benchmarks" / "voice.py", OLD, "--json", path,
         "--table", table],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "has to be voice or voice_NAME" in done.stderr
    assert not path.exists()
