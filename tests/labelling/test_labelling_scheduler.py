"""The loop that drives workers, with workers that do as they are told."""

from __future__ import annotations

from collections import Counter

import pytest

from edge_vc.labelling.label import Alignment
from edge_vc.labelling.scheduler import Patience, Shift, WorkerLostError
from edge_vc.labelling.task import KEPT, Outcome, Task
from edge_vc.teachers.spec import TeacherError


class Fake:
    """A worker that follows the crew's script: per task key, a list of what it does each time."""

    def __init__(self, crew: FakeCrew) -> None:
        self._crew = crew
        self.task: Task | None = None
        self.ended = False

    def give(self, task: Task) -> None:
        self.task = task
        self._crew.begun.append(task.key)
        if self._crew.next_for(task.key, peek=True) == "deaf":
            raise WorkerLostError("it was deaf")

    def take(self) -> Outcome | None:
        if self.task is None:
            if self._crew.openings and (opening := self._crew.openings.pop(0)):
                raise opening
            return None
        act = self._crew.next_for(self.task.key)
        if act in ("die", "deaf"):
            raise WorkerLostError("it died")
        return Outcome(self.task.key, KEPT)

    def end(self) -> None:
        self.ended = True


class FakeCrew:
    def __init__(self, size: int, script: dict[str, list[str]] | None = None) -> None:
        self.size, self.script = size, script or {}
        self.openings: list[Exception | None] = []
        self.begun: list[str] = []
        self.hired: list[Fake] = []

    def next_for(self, key: str, peek: bool = False) -> str:
        acts = self.script.get(key, [])
        if not acts:
            return "answer"
        return acts[0] if peek else acts.pop(0)

    def hire(self) -> Fake:
        self.hired.append(Fake(self))
        return self.hired[-1]

    def heard(self, workers, seconds):
        mute = [w for w in workers if w.task and self.next_for(w.task.key, peek=True) == "hang"]
        return [worker for worker in workers if worker not in mute]


def tasks(*keys: str) -> list[Task]:
    return [Task(key, ".wav", b"", 1.0, Alignment()) for key in keys]


def run(crew: FakeCrew, *keys: str, **patience) -> dict[str, Outcome]:
    with Shift(crew, Patience(**patience)) as shift:
        outcomes = list(shift.work(tasks(*keys)))
    assert all(worker.ended for worker in crew.hired)
    assert len(outcomes) == len({outcome.key for outcome in outcomes})
    return {outcome.key: outcome for outcome in outcomes}


@pytest.mark.parametrize("size", [1, 3, 20])
def test_every_task_is_begun_once(size):
    crew = FakeCrew(size)
    found = run(crew, *"abcdefgh")
    assert {outcome.status for outcome in found.values()} == {KEPT}
    assert Counter(crew.begun) == Counter("abcdefgh")
    assert len(crew.hired) <= size


@pytest.mark.parametrize("act", ["die", "deaf"])
def test_a_task_whose_worker_dies_is_begun_again_by_another(act):
    crew = FakeCrew(2, {"c": [act]})
    found = run(crew, *"abcd")
    assert set(found) == set("abcd")
    assert found["c"].status == KEPT
    assert Counter(crew.begun)["c"] == 2


def test_a_task_that_kills_every_worker_is_given_up():
    crew = FakeCrew(2, {"c": ["die"] * 9})
    found = run(crew, *"abcd", attempts=3)
    assert found["c"].reason == "died"
    assert found["c"].fact == "it died, 3 times"
    assert Counter(crew.begun)["c"] == 3
    assert found["d"].status == KEPT


def test_a_task_without_an_answer_is_given_up_after_its_time():
    crew = FakeCrew(1, {"b": ["hang"]})
    found = run(crew, *"abc", task=0.05)
    assert found["b"].reason == "no answer"
    assert found["b"].fact == "not done after 0.05 s"
    assert found["c"].status == KEPT
    assert len(crew.hired) == 2


def test_the_last_task_may_hang_too():
    found = run(FakeCrew(2, {"b": ["hang"]}), *"ab", task=0.05)
    assert found["b"].reason == "no answer"


def test_workers_stay_from_one_list_of_tasks_to_the_next():
    crew = FakeCrew(2)
    with Shift(crew, Patience()) as shift:
        list(shift.work(tasks(*"ab")))
        list(shift.work(tasks(*"abcd")))
    assert len(crew.hired) == 2
    assert Counter(crew.begun) == Counter("ababcd")


def test_a_worker_that_is_lost_while_it_starts_is_replaced():
    crew = FakeCrew(1)
    crew.openings = [WorkerLostError("bad start")]
    assert set(run(crew, *"ab")) == set("ab")
    assert len(crew.hired) == 2


def test_nobody_who_ever_starts_ends_the_work():
    crew = FakeCrew(2)
    crew.openings = [WorkerLostError("bad start")] * 20
    with pytest.raises(TeacherError, match="end while they open the teacher: bad start"):
        run(crew, *"ab")
    assert all(worker.ended for worker in crew.hired)


def test_a_teacher_that_cannot_be_opened_ends_the_work():
    crew = FakeCrew(2)
    crew.openings = [None, TeacherError("no weights")]
    with pytest.raises(TeacherError, match="no weights"):
        run(crew, *"abcdef")
    assert all(worker.ended for worker in crew.hired)


def test_tasks_are_only_asked_for_when_there_is_a_hand_for_them():
    """A corpus is not read ahead: what lies in memory is what is being worked on."""
    asked = []

    def coming():
        for task in tasks(*"abcdefgh"):
            asked.append(task.key)
            yield task

    with Shift(FakeCrew(2), Patience()) as shift:
        for done, _ in enumerate(shift.work(coming()), 1):
            assert len(asked) <= done + 3
