"""Signals that end a command let it clean up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from edge_vc_runtime.termination import Termination


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Survive what the subject leaves to the system."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda *_: None) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_is_an_exit(number: signal.Signals, code: int) -> None:
    outside = signal.getsignal(number)
    with pytest.raises(SystemExit) as exit, Termination():
        os.kill(os.getpid(), number)
    assert exit.value.code == code
    assert signal.getsignal(number) is outside


def test_a_second_hangup_does_not_interrupt_the_clean_up() -> None:
    cleaned = []

    def clean_up() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        cleaned.append("all of it")

    def hung_up() -> None:
        with Termination(), ExitStack() as stack:
            stack.callback(clean_up)
            os.kill(os.getpid(), signal.SIGHUP)

    with pytest.raises(SystemExit):
        hung_up()
    assert cleaned == ["all of it"]


def test_nohup_is_respected() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Termination():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
