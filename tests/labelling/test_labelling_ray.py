"""Labelling on a Ray cluster: two workers on loopback, one killed half way."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from labelling_toys import late
from typer.testing import CliRunner
from voices import record

from edge_vc.data.corpus import Corpus
from edge_vc.labelling.cli import app
from edge_vc.labelling.folder import LabelFolder
from edge_vc.labelling.job import LabelJob, LabelSettings, recordings_for
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.labelling.report import LabelReport, load_report
from edge_vc.teachers.loading import teacher_hash
from edge_vc.teachers.module import ModuleSpec
from edge_vc.teachers.spec import TeacherError
from edge_vc.workers.inline_pool import InlinePool
from edge_vc.workers.pool import WorkerStartError
from edge_vc.workers.ray_pool import RayPool

SETTINGS = LabelSettings(correct=False)
COUNT = 16


@pytest.fixture
def cluster() -> Iterator[object]:
    """A head without CPUs and two machines of one each, all of them processes here."""
    pytest.importorskip("ray", reason="Ray is not installed (pip install 'edge-vc[ray]')")
    from ray.cluster_utils import Cluster

    memory = 80_000_000
    head = {"num_cpus": 0, "object_store_memory": memory, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=memory)
        yield cluster
    finally:
        cluster.shutdown()


def asked(folder: Path) -> list[tuple[int, int]]:
    """Process and samples of every conversion that was finished."""
    log = folder / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(int(line.split()[0]), int(line.split()[1])) for line in lines]


def half_way(folder: Path, kill) -> threading.Thread:
    """Call ``kill`` with the process that converted first, once a quarter is done."""

    def wait() -> None:
        while len(asked(folder)) < COUNT // 4 or len({pid for pid, _ in asked(folder)}) < 2:
            time.sleep(0.05)
        kill(asked(folder)[0][0])

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def check(report: LabelReport, folder: Path, spec: ModuleSpec, corpus: Corpus) -> None:
    """Nothing lost, nothing twice, and the same bytes as on this machine alone."""
    assert len(report.kept) == report.wanted == COUNT
    lines = (folder / "ray" / "journal.jsonl").read_text().splitlines()
    assert Counter(json.loads(line)["key"] for line in lines) == {
        row.outcome.key: 1 for row in report.kept
    }
    assert len(list((folder / "ray" / "labels").iterdir())) == COUNT
    (folder / "log").unlink()
    job = LabelJob(spec, recordings_for(spec, corpus), folder / "alone", SETTINGS)
    alone = job.run(InlinePool(TeacherOpener(spec)))
    assert alone.rows == report.rows
    for row in alone.kept:
        here, there = (
            LabelFolder(folder / name).path(row.outcome.key) for name in ("alone", "ray")
        )
        assert here.read_bytes() == there.read_bytes()


@pytest.mark.slow
def test_a_worker_killed_half_way_loses_nothing_and_repeats_nothing(cluster, tmp_path):
    corpus = Corpus.open(record(tmp_path / "recordings", COUNT))
    spec = late(tmp_path, seconds=0.4)
    recipe = tmp_path / "late.toml"
    recipe.write_text(f'[teacher]\nkind = "module"\nfactory = "{spec.factory}"\n')
    killer = half_way(tmp_path, lambda pid: os.kill(pid, signal.SIGKILL))
    args = [str(corpus.root), "--teacher", str(recipe), "-o", str(tmp_path / "ray")]
    done = CliRunner().invoke(app, [*args, "--delay", "none", "--ray", cluster.address])
    assert done.exit_code == 0, done.output
    report = load_report(tmp_path / "ray")
    killer.join(1)
    assert not killer.is_alive()
    finished = asked(tmp_path)
    # Two at first, and one started in place of the one that was killed.
    assert len({pid for pid, _ in finished}) == 3
    # What the killed one was at is begun again; what it had given was not.
    assert COUNT <= len(finished) <= COUNT + 1
    check(report, tmp_path, spec, corpus)


@pytest.mark.slow
def test_a_machine_that_goes_leaves_its_work_to_the_other(cluster, tmp_path):
    corpus = Corpus.open(record(tmp_path / "recordings", COUNT))
    spec = late(tmp_path, seconds=0.4)
    job = LabelJob(spec, recordings_for(spec, corpus), tmp_path / "ray", SETTINGS)
    machine = next(iter(cluster.worker_nodes))
    killer = half_way(tmp_path, lambda pid: cluster.remove_node(machine, allow_graceful=False))
    with RayPool(TeacherOpener(spec, teacher_hash(spec)), cluster.address) as pool:
        report = job.run(pool)
    killer.join(30)
    assert machine not in cluster.worker_nodes
    check(report, tmp_path, spec, corpus)


@pytest.mark.slow
def test_a_teacher_that_differs_on_the_cluster_stops_the_job(cluster, tmp_path):
    corpus = Corpus.open(record(tmp_path / "recordings", 2))
    spec = late(tmp_path)
    job = LabelJob(spec, recordings_for(spec, corpus), tmp_path / "ray", SETTINGS)
    with RayPool(TeacherOpener(spec, teacher_hash(spec)), cluster.address) as pool:
        (tmp_path / "late.py").write_text("# changed since")
        with pytest.raises(TeacherError, match="differ from those here"):
            job.run(pool)


def test_without_ray_the_install_line_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(WorkerStartError, match=r"pip install 'edge-vc\[ray\]'"):
        RayPool(TeacherOpener(late(tmp_path)), "auto")


def test_no_cluster_at_an_address_is_one_line(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (pip install 'edge-vc[ray]')")
    with pytest.raises(WorkerStartError, match="nowhere: no Ray cluster there") as caught:
        RayPool(TeacherOpener(late(tmp_path)), "nowhere")
    assert "\n" not in str(caught.value)
