"""Every pool keeps the same contract; what it does about deaths is for processes alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from workers_toys import Acting, forever, slow_square

from edge_vc.workers.inline_pool import InlinePool
from edge_vc.workers.ordered import Calling, parallel_map, run_in_order
from edge_vc.workers.pool import WorkerError, WorkerLostError, WorkerPool, WorkerStartError
from edge_vc.workers.process_pool import ProcessPool
from edge_vc.workers.ray_pool import RayPool
from edge_vc.workers.scheduler import DIED, NO_ANSWER, LostItem, Scheduler, Timeouts

Make = Callable[..., WorkerPool[str, object]]


def in_processes(opener: Acting, **settings: object) -> ProcessPool[str, object]:
    return ProcessPool(opener, 2, **settings)  # type: ignore[arg-type]


both = pytest.mark.parametrize("make", [InlinePool, in_processes], ids=["inline", "processes"])


def answers(pool: WorkerPool[str, object], *orders: str, **timeouts: float) -> dict[str, object]:
    with Scheduler(pool, Timeouts(**timeouts)) as scheduler:  # type: ignore[arg-type]
        return {answer.item: answer.result for answer in scheduler.work(orders)}


@both
def test_items_are_worked_on_and_reported(make: Make) -> None:
    reports: list[str] = []
    found = answers(make(Acting(), on_report=reports.append), *"abcd")
    assert found == {letter: letter.upper() for letter in "abcd"}
    assert sorted(reports) == [f"begins {letter}" for letter in "abcd"]


@both
def test_an_exception_of_an_item_is_raised_here(make: Make) -> None:
    with pytest.raises(ValueError, match="a bad item"):
        answers(make(Acting()), "a", "raise", "b")


@both
def test_an_exception_of_an_opener_is_raised_here(make: Make) -> None:
    with pytest.raises(ValueError, match="a bad item"):
        answers(make(Acting("raise")), "a")


@pytest.mark.parametrize(
    ("order", "words"), [("awkward", "AwkwardError: 1 and 2"), ("unsendable", "ValueError: <unl")]
)
def test_an_exception_that_cannot_be_sent_is_told(order: str, words: str) -> None:
    with pytest.raises(WorkerError, match=words):
        answers(in_processes(Acting()), order)


def test_a_process_says_where_an_exception_was_raised() -> None:
    with pytest.raises(ValueError, match="a bad item") as caught:
        answers(in_processes(Acting()), "raise")
    assert "workers_toys.py" in "".join(caught.value.__notes__)


@pytest.mark.parametrize(
    ("order", "fact"),
    [
        ("die", "the worker ended with exit code 7, 2 times"),
        ("killed", "the worker ended with signal 9, 2 times"),
    ],
)
def test_an_item_that_kills_its_worker_is_lost_and_the_rest_goes_on(order: str, fact: str) -> None:
    found = answers(in_processes(Acting()), "a", order, "b", "c")
    assert found == {"a": "A", "b": "B", "c": "C", order: LostItem(DIED, fact)}


def test_an_item_that_hangs_is_ended_after_its_time() -> None:
    found = answers(in_processes(Acting()), "a", "hang", "b", item=1.0)
    fact = "not done after 1 s"
    assert found == {"a": "A", "b": "B", "hang": LostItem(NO_ANSWER, fact)}


def test_workers_that_die_while_they_start_end_the_work() -> None:
    with pytest.raises(WorkerStartError, match="end while they start: .* exit code 7"):
        answers(ProcessPool(Acting("die"), 1), "a")


def test_workers_that_never_start_end_the_work() -> None:
    with pytest.raises(WorkerStartError, match=r"no worker has started after 0\.5 s"):
        answers(ProcessPool(Acting("hang"), 1), "a", start=0.5)


def test_a_process_has_the_threads_it_is_given() -> None:
    pool: ProcessPool[str, object] = ProcessPool(Acting("load torch"), 1, threads=3)
    assert answers(pool, "threads")["threads"] == ("3", 3)
    pool = ProcessPool(Acting(), (os.cpu_count() or 1) + 5)
    assert answers(pool, "threads")["threads"] == ("1", None)


def test_signals_are_reset_and_ctrl_c_is_left_to_the_parent() -> None:
    found = answers(ProcessPool(Acting(), 1), "interrupt", "signals", "grandchild")
    assert found["interrupt"] == "still here"
    assert found["signals"] == [False, False]
    assert found["grandchild"] == "default_int_handler"


def test_results_come_in_the_order_of_the_items() -> None:
    numbers = list(range(8))
    squares = [number * number for number in numbers]
    assert list(parallel_map(slow_square, numbers, workers=3)) == squares
    assert list(parallel_map(slow_square, numbers[:2], workers=1)) == squares[:2]
    assert list(parallel_map(slow_square, [], workers=3)) == []


def test_a_death_ends_an_ordered_run() -> None:
    with pytest.raises(WorkerLostError, match=r"signal 9$"):
        list(run_in_order(in_processes(Acting()), ["a", "killed", "b"]))


def test_without_ray_the_install_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(WorkerStartError, match=r"pip install 'edge-vc\[ray\]'"):
        RayPool(Acting(), "auto")


PARENT = """
import sys
from workers_toys import forever
from edge_vc.workers.ordered import Calling, run_in_order
from edge_vc.workers.process_pool import ProcessPool

if __name__ == "__main__":
    pool = ProcessPool(Calling(forever), 2)
    list(run_in_order(pool, [sys.argv[1]] * 2))
"""


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGKILL], ids=lambda kind: kind.name)
def test_workers_of_a_stopped_parent_that_ignores_signals_end(
    tmp_path: Path, kind: signal.Signals
) -> None:
    """As under ``nohup``: SIGINT is ignored before the parent begins."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    folder = tmp_path / "work"
    folder.mkdir()
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, str(script), str(folder)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}) as parent:
        wait_for(lambda: len([p for p in folder.glob("*.part") if p.read_text()]) == 2)
        workers = [int(part.stem) for part in folder.iterdir()]
        programs = [int(part.read_text()) for part in folder.iterdir()]
        assert all(map(alive, workers + programs))
        parent.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert parent.poll() is None
        assert all(map(alive, workers + programs))
        parent.send_signal(kind)
        assert parent.wait(30) == -kind
    wait_for(lambda: not any(map(alive, workers + programs)), 10)
    assert not list(folder.iterdir()), "workers were killed before they could clean up"


def test_ending_a_pool_unwinds_its_workers(tmp_path: Path) -> None:
    pool: ProcessPool[str, None] = ProcessPool(Calling(forever), 1)
    with Scheduler(pool, Timeouts(item=1.5)) as scheduler:
        (answer,) = scheduler.work([str(tmp_path)])
    assert isinstance(answer.result, LostItem)
    assert not list(tmp_path.iterdir())
