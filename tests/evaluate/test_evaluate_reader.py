"""Saved evaluations are read back as they were, and strictly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evaluate_reports import made_report
from typer.testing import CliRunner

from edge_vc.evaluate.report.cli import app
from edge_vc.evaluate.report.page.run_log import read_run
from edge_vc.evaluate.report.reader import looks_like_evaluation, read_evaluation
from edge_vc.settings.optional import EvaluationError


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    report = made_report()
    path = report.save(tmp_path / "evaluation.json")
    assert read_evaluation(path) == report
    assert looks_like_evaluation(path)
    assert [p.name for p in tmp_path.iterdir()] == ["evaluation.json"]


def renamed(value: Any) -> None:
    value["systems"]["source"]["sentences"][0]["utt_id"] = "other"


DAMAGE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "older schema": (
        lambda v: v.update(schema=1),
        "schema is 1, this reads 2 and 3; evaluate",
    ),
    "unknown key": (lambda v: v.update(extra=1), "extra is not a known key"),
    "missing key": (lambda v: v.pop("sentences"), "sentences is missing"),
    "wrong type": (lambda v: v.update(seconds="long"), "seconds is"),
    "deep type": (
        lambda v: v["systems"]["source"]["overall"]["similarity"].update(value="high"),
        r"systems\.source\.overall\.similarity\.value is 'high'",
    ),
    "other sentences": (renamed, "has other sentences than the report"),
    "absolute folder": (lambda v: v.update(audio="/etc"), "must be a folder beside the report"),
    "folder above": (lambda v: v.update(audio="a/../../b"), "must be a folder beside the report"),
    "long text": (
        lambda v: v["sentences"][0].update(text="x" * 5000),
        "a text of more than 4000 characters",
    ),
    "long name": (lambda v: v.update(target="x" * 300), "target is"),
    "nobody": (lambda v: v.update(systems={}), "systems is empty"),
    "crowd": (
        lambda v: v.update(systems={str(n): {} for n in range(99)}),
        "99 names; up to 64",
    ),
}


@pytest.mark.parametrize(("damage", "fact"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named(tmp_path: Path, damage: Callable[[Any], Any], fact: str) -> None:
    value = json.loads(made_report().to_json())
    damage(value)
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(value))
    with pytest.raises(EvaluationError, match=fact) as caught:
        read_evaluation(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"corpus_hash": NaN}', b"\xff", b"[" * 100_000], ids=repr
)
def test_what_is_no_evaluation(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(data[:200_000])
    assert not looks_like_evaluation(path)
    with pytest.raises(EvaluationError, match=r"file\.json: "):
        read_evaluation(path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    assert not looks_like_evaluation(tmp_path / "none.json")
    with pytest.raises(EvaluationError, match=r"none\.json: No such file"):
        read_evaluation(tmp_path / "none.json")
    with pytest.raises(EvaluationError, match=r"none: no such run"):
        read_run(tmp_path / "none")
    with pytest.raises(EvaluationError, match=r"holds no run\.json"):
        read_run(tmp_path)


def test_runs_tell_stages_and_curves(tmp_path: Path) -> None:
    stage = {"seconds": 12.0, "key": "k", "metrics": {"mel_db": 3.5}}
    (tmp_path / "run.json").write_text(
        json.dumps({"status": "finished", "reason": "", "stages": {"distill": stage}})
    )
    (tmp_path / "distill").mkdir()
    lines = ['{"step": 1, "minutes": 0.1, "loss": 3}', '{"step": 2, "loss": NaN, "pitch": 1}']
    (tmp_path / "distill" / "log.jsonl").write_text("\n".join([*lines, '{"step": 3, "lo']))
    run = read_run(tmp_path)
    assert run.status == "finished"
    assert run.stages[0].metrics == {"mel_db": 3.5}
    (log,) = run.logs
    assert log.steps == (1.0, 2.0)
    assert log.figures == {"loss": (3.0, None), "pitch": (None, 1.0)}


@pytest.mark.parametrize(
    ("text", "fact"),
    [('{"status": 1, "stages": {}}', "status is 1"), ("{", "is not JSON")],
    ids=["wrong type", "no JSON"],
)
def test_damaged_runs_are_named(tmp_path: Path, text: str, fact: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(EvaluationError, match=fact):
        read_run(tmp_path)


def test_logs_without_numbers_are_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('not json\n{"step": "one"}\n[]\n')
    with pytest.raises(EvaluationError, match="no lines of a training log"):
        read_run(log)


def test_profiles_are_still_shown(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text('{"schema_version": 99}')
    shown = CliRunner().invoke(app, [str(path)])
    assert shown.exit_code == 2
    assert "schema_version is 99" in shown.output
    missing = CliRunner().invoke(app, [str(tmp_path / "none.json")])
    assert "No such file" in missing.output


@pytest.mark.parametrize(
    ("evaluation", "option", "name", "kind"),
    [
        (True, "--png", "out.png", "the file is an evaluation"),
        (False, "-o", "out.html", "the file is no evaluation"),
    ],
)
def test_options_of_the_other_kind_are_refused(
    tmp_path: Path, evaluation: bool, option: str, name: str, kind: str
) -> None:
    path = tmp_path / "file.json"
    path.write_text(made_report().to_json() if evaluation else '{"schema_version": 1}')
    refused = CliRunner().invoke(app, [str(path), option, str(tmp_path / name)])
    assert refused.exit_code == 2
    assert kind in refused.output
