"""A metric registered from outside the package is in help, report, tables and page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from evaluate_reports import keep_audio
from typer.testing import CliRunner

from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.cli import app
from edge_vc.evaluate.metrics import IntrusiveMetric, Metric, Recording, register_metric, registry
from edge_vc.evaluate.metrics.metric import MetricInfo
from edge_vc.evaluate.report.cli import app as report_app
from edge_vc.evaluate.report.page.page import PageOptions, page_of
from edge_vc.evaluate.report.reader import read_evaluation
from edge_vc.settings.optional import EvaluationError
from edge_vc_runtime.entry_points import register_entry_points

PLUGIN = """
import numpy as np

from edge_vc.evaluate.metrics import IntrusiveMetric, Metric, register_metric


def level_db(recording):
    power = float(np.square(recording.samples.astype(np.float64)).mean())
    return 10 * np.log10(power) if power else None


def gain_db(reference, other):
    return level_db(other) - level_db(reference)


register_metric(
    Metric(
        key="level_db",
        title="level",
        unit="dBFS",
        better=0,
        digits=1,
        description="RMS level of the whole recording.",
        compute=level_db,
    )
)
register_metric(IntrusiveMetric(key="gain_db", title="gain", unit="dB", compute=gain_db))
"""


@pytest.fixture
def open_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test register what it likes."""
    monkeypatch.setattr(registry, "METRICS", dict(registry.METRICS))


@pytest.fixture
def plugin(open_registry: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module that registers two metrics."""
    (tmp_path / "level_metrics.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "level_metrics", raising=False)
    return "level_metrics"


def test_the_list_names_every_metric_and_a_plugins(plugin: str) -> None:
    listed = CliRunner().invoke(app, ["--list-metrics"])
    assert listed.exit_code == 0, listed.output
    assert "mcd_db: MCD in dB, lower is better. Mel-cepstral distortion" in listed.output
    assert "level_db" not in listed.output
    listed = CliRunner().invoke(app, ["--plugin", plugin, "--list-metrics"])
    assert "level_db: level in dBFS, no direction. RMS level" in listed.output
    assert "gain_db: gain in dB, higher is better" in listed.output
    missing = CliRunner().invoke(app, ["--plugin", "no_such_module", "--list-metrics"])
    assert missing.exit_code == 2
    assert "no_such_module" in missing.output


def test_a_plugins_metrics_are_in_report_tables_and_page(
    plugin: str, evaluation_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = tmp_path / "report.json"
    options = ["--corpus", str(evaluation_corpus.root), "--per-speaker", "1", "--json", str(saved)]
    options += ["--against", "source", "--plugin", plugin]
    folder = tmp_path / "half"
    folder.mkdir()
    write_half_level(evaluation_corpus, folder)
    done = CliRunner().invoke(app, ["half=" + str(folder), *options])
    assert done.exit_code == 0, done.output
    for heading in ("level", "dBFS", "gain"):
        assert heading in done.output
    parsed = json.loads(saved.read_text())
    infos = {metric["key"]: metric for metric in parsed["metrics"]}
    assert infos["level_db"]["unit"] == "dBFS"
    source, half = (parsed["systems"][name] for name in ("source", "half"))
    assert half["deltas"]["level_db"]["value"] == pytest.approx(-6.02, abs=0.01)
    found = (
        half["sentences"][0]["scores"]["level_db"] - source["sentences"][0]["scores"]["level_db"]
    )
    assert found == pytest.approx(-6.02, abs=0.01)
    (pair,) = parsed["comparisons"]
    assert pair["overall"]["gain_db"]["value"] == pytest.approx(-6.02, abs=0.01)

    # Whoever reads the file need not have the plug-in.
    monkeypatch.setattr(registry, "METRICS", {})
    page = tmp_path / "page.html"
    shown = CliRunner().invoke(report_app, [str(saved), "-o", str(page)])
    assert shown.exit_code == 0, shown.output
    assert "level" in shown.output
    text = page.read_text()
    for part in ("level, dBFS</abbr>", "gain, dB ↑</abbr>", "<h3>level</h3>", "RMS level of the"):
        assert part in text


def write_half_level(corpus: Corpus, folder: Path) -> None:
    from edge_vc.audio.io import write_audio

    for utterance in corpus.select(role="unseen-source"):
        samples = 0.5 * utterance.read(16000)
        write_audio(folder / f"{utterance.utt_id}.wav", samples, 16000)


class Point(NamedTuple):
    """An entry point of another distribution."""

    name: str
    value: str
    found: Metric | None

    def load(self) -> Metric:
        if self.found is None:
            raise ImportError("no such package")
        return self.found


def test_entry_points_add_metrics_and_broken_ones_are_named(
    open_registry: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    info = tmp_path / "level-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: level\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[edge_vc.metrics]\nlevel = level:METRIC\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    metric = Metric(key="level_db", title="level", compute=lambda recording: 1.0)
    points = [Point("broken", "gone:METRIC", None), Point("level", "level:METRIC", metric)]
    monkeypatch.setattr(
        "importlib.metadata.entry_points",
        lambda group: points if group == "edge_vc.metrics" else [],
    )
    register_entry_points.cache_clear()
    said = r"edge_vc.metrics: broken \(gone:METRIC\) is left out: no such"
    with pytest.warns(UserWarning, match=said):
        assert metric in registry.system_metrics()
    assert metric not in registry.intrusive_metrics()


def test_a_key_is_registered_once(open_registry: None) -> None:
    metric = Metric(key="level_db", title="level", compute=lambda recording: 1.0)
    register_metric(metric)
    with pytest.raises(ValueError, match="'level_db': the key is taken by level"):
        register_metric(metric)
    with pytest.raises(ValueError, match="'stoi': the key is taken by STOI"):
        register_metric(replace(metric, key="stoi"))


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"key": "Level dB"}, "key is 'Level dB'; give lower-case letters"),
        ({"title": ""}, "title is ''; give 1 to 40 characters"),
        ({"better": 2}, "better is 2; give -1, 0 or 1"),
        ({"digits": 9}, "digits is 9"),
        ({"rank": 0}, "rank is 0"),
        ({"unit": "u" * 21}, "unit is 'u"),
        ({"description": "d" * 1001}, "description is 'd"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_no_table_can_show_is_refused(change: dict[str, object], fact: str) -> None:
    values: dict[str, object] = {"key": "level_db", "title": "level"} | change
    with pytest.raises(ValueError, match=fact):
        MetricInfo(**values)  # type: ignore[arg-type]


def test_values_that_no_report_can_hold_are_refused(
    open_registry: None, evaluation_corpus: Corpus
) -> None:
    from edge_vc.evaluate.evaluation import EvaluationOptions, evaluate
    from edge_vc.evaluate.systems.systems import load_systems

    def not_a_number(recording: Recording) -> float:
        return float("nan")

    register_metric(Metric(key="broken", title="broken", compute=not_a_number))
    with pytest.raises(EvaluationError, match=r"metric broken: gives nan for .*flac; return None"):
        evaluate(load_systems("source"), evaluation_corpus, EvaluationOptions(per_speaker=1))


def test_registered_metrics_stand_beside_the_players(open_registry: None, tmp_path: Path) -> None:
    from evaluate_reports import made_report

    register_metric(Metric(key="level_db", title="level", unit="dB", compute=lambda recording: 1.0))
    register_metric(
        IntrusiveMetric(key="gain_db", title="gain", compute=lambda reference, other: 1.0)
    )
    report = made_report()
    audio = keep_audio(report, tmp_path / "audio")
    text = page_of(report, PageOptions(audio, 1))
    assert "<span>level <b>0.500 dB</b></span>" in text
    assert read_evaluation(report.save(tmp_path / "report.json")) == report


def test_shared_computations_run_once(evaluation_corpus: Corpus) -> None:
    from edge_vc.evaluate.metrics.recording import ScoringContext, Target
    from edge_vc.evaluate.selection import select_sentences

    chosen = select_sentences(evaluation_corpus)
    context = ScoringContext(chosen, Target(np.ones(256, np.float32), 150.0))
    asked: list[Recording] = []

    def power(recording: Recording) -> float:
        asked.append(recording)
        return float(np.square(recording.samples).mean())

    first, second = (
        Recording(context, u, u.read(Recording.sample_rate)) for u in chosen.sources[:2]
    )
    assert first.get(power) == first.get(power) != second.get(power)
    assert asked == [first, second]
