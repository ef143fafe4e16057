"""The loop that drives workers, with workers that do as they are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from edge_vc.workers.pool import (
    Finished,
    Message,
    Raised,
    Ready,
    Reported,
    Worker,
    WorkerLostError,
    WorkerStartError,
)
from edge_vc.workers.scheduler import DIED, NO_ANSWER, LostItem, Scheduler, Timeouts


class FakeWorker:
    """A worker that follows the pool's script: per item, a list of what it does each time."""

    handle = None

    def __init__(self, pool: FakePool) -> None:
        self._pool = pool
        self.item: str | None = None
        self.ended = False

    def give(self, item: str) -> None:
        self.item = item
        self._pool.begun.append(item)
        if self._pool.next_for(item, peek=True) == "deaf":
            raise WorkerLostError("it was deaf")

    def take(self) -> Message[str]:
        if self.item is None:
            opening = self._pool.openings.pop(0) if self._pool.openings else None
            if isinstance(opening, WorkerLostError):
                raise opening
            return Raised(opening) if opening else Ready()
        act = self._pool.next_for(self.item)
        if act in ("die", "deaf"):
            raise WorkerLostError("it died")
        if act == "report":
            return Reported(self.item)
        return Raised(ValueError(act)) if act == "raise" else Finished(self.item.upper())

    def end(self) -> None:
        self.ended = True


class FakePool:
    def __init__(self, size: int, script: dict[str, list[str]] | None = None) -> None:
        self.size, self.script = size, script or {}
        self.openings: list[Exception | None] = []
        self.begun: list[str] = []
        self.reports: list[object] = []
        self.started: list[FakeWorker] = []

    def next_for(self, item: str, peek: bool = False) -> str:
        acts = self.script.get(item, [])
        if not acts:
            return "answer"
        return acts[0] if peek else acts.pop(0)

    def start(self) -> FakeWorker:
        self.started.append(FakeWorker(self))
        return self.started[-1]

    def wait(
        self, workers: Sequence[Worker[str, str]], seconds: float
    ) -> Sequence[Worker[str, str]]:
        mine = [worker for worker in workers if isinstance(worker, FakeWorker)]
        return [w for w in mine if not w.item or self.next_for(w.item, peek=True) != "hang"]

    def report(self, value: object) -> None:
        self.reports.append(value)


def run(pool: FakePool, items: str, **timeouts: float) -> dict[str, str | LostItem]:
    with Scheduler(pool, Timeouts(**timeouts)) as scheduler:  # type: ignore[arg-type]
        answers = list(scheduler.work(items))
    assert all(worker.ended for worker in pool.started)
    assert all(items[answer.index] == answer.item for answer in answers)
    assert len(answers) == len({answer.index for answer in answers})
    return {answer.item: answer.result for answer in answers}


@pytest.mark.parametrize("size", [1, 3, 20])
def test_every_item_is_begun_once(size: int) -> None:
    pool = FakePool(size)
    found = run(pool, "abcdefgh")
    assert found == {item: item.upper() for item in "abcdefgh"}
    assert Counter(pool.begun) == Counter("abcdefgh")
    assert len(pool.started) <= size


@pytest.mark.parametrize("act", ["die", "deaf"])
def test_an_item_whose_worker_dies_is_begun_again_by_another(act: str) -> None:
    pool = FakePool(2, {"c": [act]})
    found = run(pool, "abcd")
    assert set(found) == set("abcd")
    assert found["c"] == "C"
    assert Counter(pool.begun)["c"] == 2


def test_an_item_that_kills_every_worker_is_given_up() -> None:
    pool = FakePool(2, {"c": ["die"] * 9})
    found = run(pool, "abcd", attempts=3)
    assert found["c"] == LostItem(DIED, "it died, 3 times")
    assert Counter(pool.begun)["c"] == 3
    assert found["d"] == "D"


def test_an_item_without_an_answer_is_given_up_after_its_time() -> None:
    pool = FakePool(1, {"b": ["hang"]})
    found = run(pool, "abc", item=0.05)
    assert found["b"] == LostItem(NO_ANSWER, "not done after 0.05 s")
    assert found["c"] == "C"
    assert len(pool.started) == 2


def test_the_last_item_may_hang_too() -> None:
    found = run(FakePool(2, {"b": ["hang"]}), "ab", item=0.05)
    assert found["b"] == LostItem(NO_ANSWER, "not done after 0.05 s")


def test_an_item_that_reports_is_not_finished() -> None:
    pool = FakePool(1, {"b": ["report", "report", "hang"]})
    found = run(pool, "abc", item=0.05)
    assert pool.reports == ["b", "b"]
    assert found["b"] == LostItem(NO_ANSWER, "not done after 0.05 s")


def test_an_exception_ends_the_work_and_every_worker() -> None:
    pool = FakePool(2, {"c": ["raise"]})
    with pytest.raises(ValueError, match="raise"):
        run(pool, "abcd")
    assert all(worker.ended for worker in pool.started)


def test_workers_stay_from_one_list_of_items_to_the_next() -> None:
    pool = FakePool(2)
    with Scheduler(pool, Timeouts()) as scheduler:
        list(scheduler.work("ab"))
        list(scheduler.work("abcd"))
    assert len(pool.started) == 2
    assert Counter(pool.begun) == Counter("ababcd")


def test_a_worker_that_is_lost_while_it_starts_is_replaced() -> None:
    pool = FakePool(1)
    pool.openings = [WorkerLostError("bad start")]
    assert set(run(pool, "ab")) == set("ab")
    assert len(pool.started) == 2


def test_no_worker_that_ever_starts_ends_the_work() -> None:
    pool = FakePool(2)
    pool.openings = [WorkerLostError("bad start")] * 20
    with pytest.raises(WorkerStartError, match="end while they start: bad start"):
        run(pool, "ab")
    assert all(worker.ended for worker in pool.started)


def test_an_opener_that_raises_ends_the_work() -> None:
    pool = FakePool(2)
    pool.openings = [None, ValueError("no weights")]
    with pytest.raises(ValueError, match="no weights"):
        run(pool, "abcdef")
    assert all(worker.ended for worker in pool.started)


def test_items_are_only_asked_for_when_a_worker_is_free() -> None:
    """A corpus is not read ahead: what lies in memory is what is being worked on."""
    asked = []

    def coming() -> Iterator[str]:
        for item in "abcdefgh":
            asked.append(item)
            yield item

    with Scheduler(FakePool(2), Timeouts()) as scheduler:
        for done, _ in enumerate(scheduler.work(coming()), 1):
            assert len(asked) <= done + 3
