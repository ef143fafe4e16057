"""The evaluation that is kept in the repository, and the table that is made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from benchmark_scripts import load_benchmark
from evaluate_reports import made_report


def test_a_voice_is_kept_without_its_sentences(
    project_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = made_report(text="Rain fell.")
    source = report.systems["source"]
    overall = dict(source.overall) | {"dnsmos": None}
    given, kept = tmp_path / "evaluation.json", tmp_path / "voice.json"
    replace(report, systems={"source": replace(source, overall=overall)}).save(given)

    assert load_benchmark(project_root, "voice").main([str(given), "--json", str(kept)]) == 0
    assert "Rain fell." in given.read_text()
    assert "Rain fell." not in kept.read_text()
    result = json.loads(kept.read_text())
    assert result["sentences"] == result["comparisons"][0]["sentences"] == []
    assert load_benchmark(project_root, "table").main([str(kept)]) == 0
    text = capsys.readouterr().out
    value = overall["similarity"]
    assert value is not None
    assert f"| `source` | {value.value:.3f} ({value.low:.3f} to {value.high:.3f}) |" in text
    assert "| - |" in text
    assert "4 sentences of 2 speakers" in text
