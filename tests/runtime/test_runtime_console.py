"""The refreshing line: what fits into a width, what a terminal gets, what a pipe gets."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import struct
import termios
from fcntl import ioctl

import pytest
from live_snapshots import PARTS, snapshot

from edge_vc_runtime.live.snapshot import DelayParts
from edge_vc_runtime.monitor.console import PLAIN_EVERY_S, LiveConsole
from edge_vc_runtime.monitor.status_line import level_bar, status_line


@pytest.mark.parametrize("width", [0, 5, 20, 40, 59, 79, 119, 200])
def test_never_wider_than_the_terminal(width: int) -> None:
    trouble = snapshot(state="waiting", input_overflows=123456, seconds=360_000, tier="x" * 80)
    for now in (snapshot(), trouble):
        assert len(status_line(now, width)) <= width


def test_what_matters_most_stays_longest() -> None:
    narrow, middle, wide = (status_line(snapshot(), width) for width in (59, 79, 119))
    common = "1:23 in ███░░ -23 out ████░ -18 delay  52 ms xruns 0"
    assert narrow == f"{common} base"
    assert middle == f"{common} p50/p99  0.8/ 2.5 ms base"
    assert status_line(snapshot(), 20) == "delay  52 ms xruns 0"
    assert wide.endswith("RTF 0.09 late 0 base gate open 54 C")
    assert "in ██████░░░░ -23" in wide


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"state": "waiting"}, "device gone"),
        ({"bypassed": True}, "bypass"),
        ({"gate_open": False}, "gate shut"),
        ({"input_overflows": 2, "output_underflows": 3}, "xruns 5"),
        ({"p50_ms": None, "p99_ms": None, "rtf": None}, "p50/p99    -/   - ms"),
        ({"delay": DelayParts(None, None, 3.0, 20.0, 0.0, 0.0, None)}, "delay   - ms"),
        ({"seconds": 3723.0}, "1:02:03"),
        ({"input_db": -120.0}, "in ░░░░░░░░░░ -99"),
        ({"tier": "na\x1b[31mno"}, "na\\x1b[31mno"),
    ],
)
def test_says_what_happens(changes: dict[str, object], fact: str) -> None:
    assert fact in status_line(snapshot(**changes), 160)


def test_the_line_keeps_its_width_while_values_change() -> None:
    lines = {
        len(status_line(snapshot(**changes), 100))
        for changes in (
            {"input_db": -5.0}, {"p99_ms": None}, {"gate_open": False}, {"delay": PARTS},
            {"output_db": -120.0}, {"p99_ms": 12.25},
        )
    }  # fmt: skip
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("level", "bar"),
    [
        (float("nan"), "....."),
        (-120, "....."),
        (-60, "....."),
        (-36, "##..."),
        (0, "#####"),
        (6, "#####"),
    ],
)
def test_meter(level: float, bar: str) -> None:
    assert level_bar(level, 5, blocks=False) == bar


def test_trouble_is_red_only_where_colours_are_wanted() -> None:
    now = snapshot(output_underflows=1)
    assert "\x1b[31mxruns 1\x1b[39m" in status_line(now, 120, colour=True)
    assert "\x1b" not in status_line(now, 120)
    assert "\x1b" not in status_line(snapshot(), 120, colour=True)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_pipe_gets_a_line_every_ten_seconds() -> None:
    clock, stream = Clock(), io.StringIO()
    console = LiveConsole(stream, clock=clock)
    for _ in range(250):
        console.show(snapshot())
        clock.now += 0.1
    console("tier", to="nano", reason="p99 11.2 ms of 10 ms", calm_s=2.5, up=False)
    console.close()
    lines = stream.getvalue().splitlines()
    assert PLAIN_EVERY_S == 10.0
    assert len(lines) == 4
    assert lines[-1] == '   25.0 s  tier  to=nano reason="p99 11.2 ms of 10 ms" calm_s=2.5 up=False'
    assert "\x1b" not in stream.getvalue()
    assert "in ######.... -23" in lines[0]


def test_quiet_says_nothing() -> None:
    stream = io.StringIO()
    console = LiveConsole(stream, quiet=True)
    console.show(snapshot())
    console.print("a")
    console("b")
    console.close()
    assert stream.getvalue() == ""


class Terminal:
    """A pseudo terminal of a given width, and what was written to it."""

    def __init__(self, columns: int) -> None:
        self.reader, writer = pty.openpty()
        self.stream = os.fdopen(writer, "w", encoding="utf-8")
        self.resize(columns)

    def resize(self, columns: int) -> None:
        ioctl(self.stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def take(self) -> str:
        """Return all that was written: a terminal hands it on piece by piece."""
        taken = os.read(self.reader, 65536)
        while select.select([self.reader], [], [], 0.1)[0]:
            taken += os.read(self.reader, 65536)
        return taken.decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self.reader)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    made = Terminal(80)
    yield made
    made.close()


def test_a_terminal_gets_one_line_that_refreshes(terminal: Terminal) -> None:
    console = LiveConsole(terminal.stream)
    console.show(snapshot())
    written = terminal.take()
    line = status_line(snapshot(), 79)
    assert written == f"\x1b[?7l\r{line}\x1b[K\x1b[?7h"
    assert "\n" not in written
    terminal.resize(60)
    console.show(snapshot())
    assert status_line(snapshot(), 59) in terminal.take()


def test_an_event_stands_above_the_line(terminal: Terminal) -> None:
    console = LiveConsole(terminal.stream)
    console.show(snapshot())
    terminal.take()
    console.print("device gone: USB Mic")
    line = status_line(snapshot(), 79)
    assert terminal.take() == f"\r\x1b[Kdevice gone: USB Mic\r\n\x1b[?7l{line}\x1b[?7h"
    console.close()
    assert terminal.take() == "\r\x1b[K"
    console.close()
    console.print("after")
    assert terminal.take() == "after\r\n"


def test_every_write_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    console = LiveConsole(terminal.stream)
    console.show(snapshot(output_underflows=3, late=2, state="waiting"))
    console.print("x")
    written = terminal.take()
    assert written.count("\n") == 1
    modes = re.findall(r"\x1b\[\?7([lh])", written)
    assert modes == ["l", "h"] * 2
    assert written.count("\x1b[31m") == written.count("\x1b[39m") > 0


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("NO_COLOR", "1")])
def test_modest_terminals(
    terminal: Terminal, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    console = LiveConsole(terminal.stream)
    console.show(snapshot(output_underflows=3))
    written = terminal.take()
    assert "\x1b[31m" not in written
    assert ("\x1b" in written) == (name == "NO_COLOR")


def test_a_reader_that_goes_away_stops_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    console = LiveConsole(stream)
    console.print("nobody reads this")
    console.show(snapshot())
    with pytest.raises(BrokenPipeError):
        stream.close()
    console.print("closed by now")
    console.close()
