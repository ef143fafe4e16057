"""Killed before any sync or rename, a run resumes to the same bytes."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import ClassVar

import pytest
from crash_points import run_until

from edge_vc.compress.pipeline.run_folder import RECORD, RunFolder, content_hash
from edge_vc.compress.pipeline.runner import run_stages
from edge_vc.compress.pipeline.stage import Metrics, Stage, Workspace
from edge_vc.compress.recipe import Recipe
from edge_vc.labelling.folder import LABELS, LabelFolder
from edge_vc.labelling.task import KEPT, LabelOutcome
from edge_vc.training.checkpoint import Checkpoint
from edge_vc_runtime.files.writing import write_whole

A_YEAR_BACK, A_DAY_ON = -365 * 86400.0, 86400.0


class Makes(Stage):
    """Writes files and keeps what it has in scratch."""

    name: ClassVar[str] = "makes"

    def run(self, work: Workspace) -> Metrics:
        begun(self, work)
        for number in range(3):
            kept = work.scratch / f"{number}.txt"
            if not kept.exists():
                write_whole(kept, str(number) * 100)
            write_whole(work.output / kept.name, kept.read_bytes())
        return {"files": 3.0}


class Uses(Stage):
    """Makes something of the stage before."""

    name: ClassVar[str] = "uses"
    needs: ClassVar[tuple[str, ...]] = ("makes",)

    def run(self, work: Workspace) -> Metrics:
        begun(self, work)
        whole = b"".join(path.read_bytes() for path in sorted(work.inputs["makes"].glob("*.txt")))
        write_whole(work.output / "hash", hashlib.sha256(whole).hexdigest())
        return {"bytes": float(len(whole))}


def begun(stage: Stage, work: Workspace) -> None:
    """Count a run of a stage, beside the run folder."""
    with work.output.parents[3].joinpath("begun").open("a") as file:
        file.write(f"{stage.name}\n")


def toy_run(folder: Path) -> None:
    run_stages(Recipe(), [Makes(Recipe()), Uses(Recipe())], folder)


def artifacts(folder: Path) -> dict[str, str]:
    """Return the content hash of every artifact; fails for one that is not whole."""
    found = {}
    for record in sorted(folder.glob(f"*/{RECORD}")):
        stage = record.parent.name
        kept = RunFolder(folder).record(stage)
        assert kept is not None, f"{stage} is there and not whole"
        found[stage] = content_hash(record.parent)
    return found


@pytest.mark.parametrize(
    ("clock", "step"),
    [
        pytest.param(0.0, 1, id="every point", marks=pytest.mark.slow),
        pytest.param(0.0, 7, id="some points"),
        pytest.param(A_YEAR_BACK, 7, id="a year back"),
        pytest.param(A_DAY_ON, 7, id="a day on"),
    ],
)
def test_stages_killed_at_every_point_resume_to_the_same_bytes(
    tmp_path: Path, clock: float, step: int
) -> None:
    whole = run_until(None, lambda: toy_run(tmp_path / "whole"))
    wanted = artifacts(tmp_path / "whole")
    assert list(wanted) == ["makes", "uses"]
    assert whole.points >= 40
    for point in range(0, whole.points, step):
        folder = tmp_path / f"at-{point}"
        assert run_until(point, lambda folder=folder: toy_run(folder)).killed
        assert artifacts(folder).items() <= wanted.items()
        assert not run_until(None, lambda folder=folder: toy_run(folder), clock).killed
        assert artifacts(folder) == wanted
        assert not list(folder.rglob(".edge-vc-*"))
        shutil.rmtree(folder)


@pytest.mark.parametrize("there", [False, True], ids=["a new stage", "one that is made again"])
def test_a_stage_that_was_done_is_not_run_again(tmp_path: Path, there: bool) -> None:
    """Killed anywhere between its record and its name, it is kept as it is."""
    older, folder = tmp_path / "older", tmp_path / "runs" / "run"
    log = folder.parent / "begun"
    (older / "run").mkdir(parents=True)
    if there:
        make_older(older / "run")
    point = between = 0
    while True:
        shutil.rmtree(folder.parent, ignore_errors=True)
        shutil.copytree(older, folder.parent)
        log.unlink(missing_ok=True)
        if not run_until(point, lambda: one_stage(folder)).killed:
            break
        recorded = (folder / ".work" / "makes" / "output" / RECORD).is_file()
        done = recorded and not (folder / "makes").exists()
        if done:
            assert not run_until(None, lambda: one_stage(folder)).killed
            assert list(artifacts(folder)) == ["makes"]
            assert log.read_text().split().count("makes") <= (1 if done else 2)
        between += done
        point += 1
    assert between >= 1


def make_older(folder: Path) -> None:
    """Let a stage be there as another recipe made it."""
    one_stage(folder)
    record = folder / "makes" / RECORD
    record.write_text(record.read_text().replace('"key": "', '"key": "older'))


def one_stage(folder: Path) -> None:
    run_stages(Recipe(), [Makes(Recipe())], folder)


def test_labels_killed_at_every_point_are_whole_or_not_listed(tmp_path: Path) -> None:
    keys = [f"{number:032x}" for number in range(4)]

    def store(folder: Path) -> None:
        labels = LabelFolder(folder)
        with labels.locked():
            done = labels.finished()
            for key in keys:
                if key not in done:
                    content = key.encode() * 10
                    digest = hashlib.sha256(content).hexdigest()
                    labels.store(LabelOutcome(key, KEPT, sha256=digest, content=content))

    points = run_until(None, lambda: store(tmp_path / "whole")).points
    assert points >= 4 * 4
    for point in range(points):
        folder = tmp_path / f"at-{point}"
        assert run_until(point, lambda folder=folder: store(folder)).killed
        for key in LabelFolder(folder).finished():
            assert (folder / LABELS / f"{key}.npz").read_bytes() == key.encode() * 10
        assert not run_until(None, lambda folder=folder: store(folder)).killed
        assert sorted(LabelFolder(folder).finished()) == keys
        assert not list(folder.rglob(".edge-vc-*"))


def test_a_checkpoint_killed_at_every_point_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    class Number:
        value = 0

        def state_dict(self) -> dict[str, int]:
            return {"value": self.value}

        def load_state_dict(self, state: dict[str, int]) -> None:
            self.value = state["value"]

    def save(step: int) -> None:
        part = Number()
        part.value = step
        Checkpoint(tmp_path, {"part": part}).save(step, 1.0)

    save(1)
    points = run_until(None, lambda: save(1)).points
    assert points == 3
    for point in range(points):
        assert run_until(point, lambda point=point: save(point + 2)).killed
        part = Number()
        step, _ = Checkpoint(tmp_path, {"part": part}).restore()
        assert step == part.value
        assert step in ((1, 2, 3, 4) if point else (1,))
