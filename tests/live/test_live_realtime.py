"""Priorities are asked for, not presumed; the interpreter is put back as it was."""

from __future__ import annotations

import gc
import os
import sys

import pytest

from edge_vc_runtime.live.realtime import RealtimeSettings, calm_interpreter, enter_realtime


def refuse(*arguments: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_refused_priority_is_one_line_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    line = enter_realtime(RealtimeSettings())
    assert "\n" not in line
    assert "@audio - rtprio 49" in line
    assert "LimitRTPRIO=49" in line
    assert enter_realtime(RealtimeSettings(wanted=False)) == ""


def test_the_calling_thread_alone_gets_the_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(
        os, "sched_setscheduler", lambda *a: asked.append((a[0], a[1], a[2].sched_priority))
    )
    assert enter_realtime(RealtimeSettings(priority=12)) == ""
    assert asked == [(0, os.SCHED_FIFO, 12)]


def test_a_processor_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    line = enter_realtime(RealtimeSettings(wanted=False, cpu=7))
    assert line.startswith("--cpu 7 is not usable here; usable are [")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_interpreter_is_put_back(enabled: bool) -> None:
    before = gc.isenabled()
    interval = sys.getswitchinterval()
    (gc.enable if enabled else gc.disable)()
    try:
        with calm_interpreter():
            assert not gc.isenabled()
            assert gc.get_freeze_count() > 0
            assert sys.getswitchinterval() == pytest.approx(0.0005)
        assert gc.isenabled() == enabled
        assert sys.getswitchinterval() == interval
    finally:
        (gc.enable if before else gc.disable)()
