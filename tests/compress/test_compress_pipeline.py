"""Stages run once, again when something changed, and go on after any kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge_vc.compress.pipeline.run_folder import (
    RunFolder,
    RunFolderError,
    content_hash,
)
from edge_vc.compress.pipeline.runner import plan_run, run_stages
from edge_vc.compress.pipeline.stage import LimitError, Metrics, Stage, Workspace
from edge_vc.compress.recipe import Recipe
from edge_vc.settings.field import RecipeError
from edge_vc_export.compress_run import CompressRun
from edge_vc_export.errors import ExportError

RECIPE = Recipe()


class First(Stage):
    name = "first"
    sections = ("data",)
    calls = 0

    def run(self, work: Workspace) -> Metrics:
        First.calls += 1
        (work.output / "minutes.txt").write_text(str(self.recipe.data.minutes))
        return {"minutes": self.recipe.data.minutes}


class Second(Stage):
    name = "second"
    needs = ("first",)
    sections = ("quantize",)
    snr_db = 30.0

    def run(self, work: Workspace) -> Metrics:
        text = (work.inputs["first"] / "minutes.txt").read_text()
        (work.output / "doubled.txt").write_text(text * 2)
        return {"trunk_snr_db": self.snr_db}


@pytest.fixture(autouse=True)
def _count_from_zero():
    First.calls = 0


def stages(recipe: Recipe = RECIPE) -> list[Stage]:
    return [First(recipe), Second(recipe)]


def with_minutes(minutes: float) -> Recipe:
    return replace(RECIPE, data=replace(RECIPE.data, minutes=minutes))


def actions(recipe: Recipe, folder: Path) -> list[tuple[str, str]]:
    return [(p.action, p.reason) for p in plan_run(stages(recipe), folder)]


def test_a_second_run_skips_everything(tmp_path):
    first = run_stages(RECIPE, stages(), tmp_path)
    assert first.skipped == ()
    assert (first.artifact("second") / "doubled.txt").read_text() == "30.030.0"
    second = run_stages(RECIPE, stages(), tmp_path)
    assert second.skipped == ("first", "second")
    assert second.metrics == first.metrics
    assert First.calls == 1


def test_a_changed_value_runs_its_stage_and_what_reads_it(tmp_path):
    run_stages(RECIPE, stages(), tmp_path)
    assert actions(with_minutes(5.0), tmp_path)[0] == ("run", "data.minutes: 30.0 -> 5.0")
    assert actions(with_minutes(5.0), tmp_path)[1][0] == "run"
    result = run_stages(with_minutes(5.0), stages(with_minutes(5.0)), tmp_path)
    assert result.skipped == ()
    assert (tmp_path / "second" / "doubled.txt").read_text() == "5.05.0"


def test_a_stage_is_skipped_when_its_input_comes_out_the_same(tmp_path):
    run_stages(RECIPE, stages(), tmp_path)
    reseeded = replace(RECIPE, data=replace(RECIPE.data, seed=9))
    assert run_stages(reseeded, stages(reseeded), tmp_path).skipped == ("second",)


def test_an_altered_artifact_is_made_again(tmp_path):
    run_stages(RECIPE, stages(), tmp_path)
    (tmp_path / "first" / "minutes.txt").write_text("tampered")
    assert actions(RECIPE, tmp_path)[0] == ("run", "its files were changed")
    run_stages(RECIPE, stages(), tmp_path)
    assert (tmp_path / "first" / "minutes.txt").read_text() == "30.0"


def test_a_new_revision_of_the_code_runs_the_stage(tmp_path, monkeypatch):
    run_stages(RECIPE, stages(), tmp_path)
    monkeypatch.setattr(First, "revision", 2)
    assert actions(RECIPE, tmp_path)[0] == ("run", "made by another version of the code")


def test_planning_touches_nothing(tmp_path):
    assert [a for a, _ in actions(RECIPE, tmp_path / "run")] == ["run", "run"]
    assert list(tmp_path.iterdir()) == []


def test_a_limit_stops_the_run_with_the_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(Second, "snr_db", 18.25)
    with pytest.raises(LimitError, match=r"trunk_snr_db = 18\.25 is below quantize\.min_snr_db"):
        run_stages(RECIPE, stages(), tmp_path)
    summary = json.loads((tmp_path / "run.json").read_text())
    assert summary["status"] == "stopped"
    assert "18.25" in summary["reason"]
    assert summary["stages"]["second"]["metrics"] == {"trunk_snr_db": 18.25}


def test_a_relaxed_limit_needs_no_new_work(tmp_path, monkeypatch):
    monkeypatch.setattr(Second, "snr_db", 18.25)
    with pytest.raises(LimitError):
        run_stages(RECIPE, stages(), tmp_path)
    with pytest.raises(LimitError):
        run_stages(RECIPE, stages(), tmp_path)
    relaxed = replace(RECIPE, quantize=replace(RECIPE.quantize, min_snr_db=15.0))
    assert run_stages(relaxed, stages(relaxed), tmp_path).skipped == ("first", "second")


def test_a_metric_that_is_not_a_number_stops_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(Second, "snr_db", float("nan"))
    with pytest.raises(LimitError, match="trunk_snr_db came out as nan"):
        run_stages(RECIPE, stages(), tmp_path)
    assert not (tmp_path / "second").exists()


def test_until_stops_after_a_stage_and_knows_the_names(tmp_path):
    run_stages(RECIPE, stages(), tmp_path, until="first")
    assert (tmp_path / "first").is_dir()
    assert not (tmp_path / "second").exists()
    assert json.loads((tmp_path / "run.json").read_text())["status"] == "partial"
    with pytest.raises(RecipeError, match=r"secnd: unknown stage; did you mean second\?"):
        run_stages(RECIPE, stages(), tmp_path, until="secnd")


def test_the_summary_holds_the_resolved_recipe(tmp_path):
    run_stages(RECIPE, stages(), tmp_path)
    summary = json.loads((tmp_path / "run.json").read_text())
    assert summary["status"] == "finished"
    assert summary["recipe"] == RECIPE.to_dict()
    assert Recipe.from_toml((tmp_path / "recipe.toml").read_text()) == RECIPE


def test_export_reads_the_recipe_and_the_status_of_a_run(tmp_path, monkeypatch):
    run_stages(with_minutes(5.0), stages(with_minutes(5.0)), tmp_path)
    finished = CompressRun.read(tmp_path)
    assert finished.recipe == with_minutes(5.0).to_dict()
    assert (finished.status, finished.unfinished, finished.reason) == ("finished", "", "")
    assert finished.stages == ("first", "second")
    summary = json.loads((tmp_path / "run.json").read_text())
    assert summary["stages"]["first"]["metrics"] == {"minutes": 5.0}
    monkeypatch.setattr(Second, "snr_db", 18.25)
    with pytest.raises(LimitError):
        run_stages(RECIPE, stages(), tmp_path)
    stopped = CompressRun.read(tmp_path)
    assert stopped.status == "stopped"
    assert "18.25" in stopped.reason
    run_stages(RECIPE, stages(), tmp_path, until="first")
    assert CompressRun.read(tmp_path).status == "partial"
    assert "before its last stage" in CompressRun.read(tmp_path).unfinished


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, r"run\.json: cannot be read \(No such file"),
        ("{", r"run\.json: is not what `edge-vc compress` writes"),
        ("[]", r"run\.json: is not what `edge-vc compress` writes"),
    ],
)
def test_a_folder_that_is_no_run_is_named(tmp_path, text, words):
    run_stages(RECIPE, stages(), tmp_path)
    (tmp_path / "run.json").unlink()
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(ExportError, match=words):
        CompressRun.read(tmp_path)


def test_a_folder_is_used_by_one_process_at_a_time(tmp_path):
    with (
        RunFolder(tmp_path).locked(),
        pytest.raises(RunFolderError, match="another compress"),
        RunFolder(tmp_path).locked(),
    ):
        pass


def test_a_commit_cut_short_is_finished(tmp_path):
    run_stages(RECIPE, stages(), tmp_path)
    work = tmp_path / ".work" / "first"
    work.mkdir(parents=True)
    (tmp_path / "first").rename(work / "output")
    assert run_stages(RECIPE, stages(), tmp_path).skipped == ("first", "second")


def test_scratch_of_other_inputs_is_dropped(tmp_path):
    folder = RunFolder(tmp_path)
    output, scratch = folder.workplace("first", "a" * 64)
    (output / "half").write_text("x")
    (scratch / "checkpoint").write_text("x")
    output, kept = folder.workplace("first", "a" * 64)
    assert list(output.iterdir()) == []
    assert (kept / "checkpoint").is_file()
    _, fresh = folder.workplace("first", "b" * 64)
    assert list(fresh.iterdir()) == []
    assert not kept.exists()


def test_the_content_hash_sees_names_and_bytes(tmp_path):
    (tmp_path / "a").write_text("1")
    before = content_hash(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    renamed = content_hash(tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({before, renamed, content_hash(tmp_path)}) == 3


SLOW = """
import sys, time
from pathlib import Path
from edge_vc.compress.pipeline.runner import run_stages
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.pipeline.stage import Stage

class Slow(Stage):
    name = "slow"

    def run(self, work):
        done = work.scratch / "steps"
        first = int(done.read_text()) if done.exists() else 0
        for step in range(first, 40):
            time.sleep(float(sys.argv[2]))
            part = done.with_suffix(".part")
            part.write_text(str(step + 1))
            part.replace(done)
            (work.output / f"{step}.txt").write_text("half of a file")
        (work.output / "result.txt").write_text("whole")
        return {"resumed_at": float(first)}

result = run_stages(Recipe(), [Slow(Recipe())], sys.argv[1])
sys.stdout.write(str(result.metrics["slow"]["resumed_at"]))
"""


@contextmanager
def slow_run(folder: Path, pause: float) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SLOW, str(folder), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        try:
            yield p
        finally:
            p.kill()


def wait_for_steps(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for done in folder.glob(".work/slow/scratch-*/steps"):
            if int(done.read_text()) >= count:
                return
        time.sleep(0.02)
    pytest.fail("the run in the subprocess made no steps")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "Ctrl-C"])
def test_a_killed_run_goes_on_where_it_was(tmp_path, how):
    with slow_run(tmp_path, 0.1) as process:
        wait_for_steps(tmp_path, 3)
        os.kill(process.pid, how)
        process.communicate(timeout=60)
    assert not (tmp_path / "slow").exists()
    with slow_run(tmp_path, 0.0) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert float(out) >= 3
    assert (tmp_path / "slow" / "result.txt").read_text() == "whole"
    assert not (tmp_path / ".work" / "slow").exists()
