"""The control socket and its verb, as other programs meet them."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.cli import main
from edge_vc_runtime.control.client import ask
from edge_vc_runtime.control.control_socket import ControlSocket
from edge_vc_runtime.control.error import ControlError
from edge_vc_runtime.control.place import default_place
from edge_vc_runtime.control.requests import ControlRequests


def requests() -> ControlRequests:
    return ControlRequests(Parameters(), lambda: {"state": "running", "delay_ms": 38.5})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


@pytest.fixture
def running(place: Path) -> Iterator[ControlSocket]:
    server = ControlSocket(place, requests())
    yield server
    server.close()


def test_it_is_the_owners_alone_whatever_the_umask(place: Path) -> None:
    before = os.umask(0)
    try:
        server = ControlSocket(place, requests())
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    server.close()
    server.close()
    assert list(place.parent.iterdir()) == []


def test_several_requests_of_several_clients(running: ControlSocket) -> None:
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        for client in (first, second):
            client.settimeout(5)
            client.connect(str(running.path))
        first.sendall(b'{"set":{"pi')
        second.sendall(b'{"set": {"gain": -3}}\n{"get": "gain"}\n')
        answers = second.makefile("rb")
        assert json.loads(answers.readline())["values"] == {"gain": -3.0}
        assert json.loads(answers.readline())["values"] == {"gain": -3.0}
        first.sendall(b'tch":4}}\n')
        assert json.loads(first.makefile("rb").readline())["values"] == {"pitch": 4.0}


def test_an_endless_line_is_refused_and_the_next_client_served(running: ControlSocket) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(running.path))
        client.sendall(b"x" * 6000)
        assert "longer than 4096 bytes" in client.makefile().readline()
        assert client.recv(1) == b""
    assert ask(running.path, {"get": "pitch"})["values"] == {"pitch": 0.0}


def test_more_clients_than_places_are_turned_away(running: ControlSocket) -> None:
    clients = [socket.socket(socket.AF_UNIX) for _ in range(9)]
    for client in clients:
        client.settimeout(5)
        client.connect(str(running.path))
    assert clients[-1].recv(1) == b""
    for client in clients:
        client.close()


def test_a_left_over_socket_is_replaced_and_a_live_one_is_not(place: Path) -> None:
    place.parent.mkdir(mode=0o700)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(place))
    stale.close()
    server = ControlSocket(place, requests())
    with pytest.raises(ControlError, match="another run listens there; give --control"):
        ControlSocket(place, requests())
    assert ask(place, {"status": True})["status"] == {"state": "running", "delay_ms": 38.5}
    server.close()


def test_places_that_do_not_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shared = tmp_path / "shared"  # as /tmp is
    shared.mkdir()
    shared.chmod(0o1777)
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o755)
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "private" / "control.sock").touch()
    (tmp_path / "link").symlink_to(tmp_path / "private")
    for path, fact in (
        (tmp_path / "file" / "s", "File exists"),
        (shared / "s", "is writable by everybody; give --control a path in a folder of yours"),
        (open_folder / "s", "others may enter it; chmod 700"),
        (tmp_path / "private" / "control.sock", "exists and is not a socket"),
        (tmp_path / "link" / "s", "is not a folder of yours"),
        (tmp_path / ("x" * 120) / "s", "is too long for a socket"),
    ):
        with pytest.raises(ControlError, match=fact):
            ControlSocket(path, requests())


def test_the_other_users_are_turned_away(
    running: ControlSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_vc_runtime.control.control_socket._same_user", lambda client: False)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(running.path))
        assert client.recv(1) == b""


def test_where_it_is() -> None:
    assert default_place({"XDG_RUNTIME_DIR": "/run/user/5"}) == Path(
        "/run/user/5/edge-vc/control.sock"
    )
    assert default_place({"HOME": "/home/u"}) == Path(
        "/home/u/.local/state/edge-vc/run/control.sock"
    )


def control(*arguments: str) -> list[str]:
    return ["control", *arguments]


def test_the_verb(running: ControlSocket, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--socket", str(running.path)]
    assert main(["control", "set", "pitch=2", "gate=on", *where]) == 0
    assert capsys.readouterr().out == "pitch 2\ngate 1\n"
    assert main(["control", "get", "pitch", *where]) == 0
    assert capsys.readouterr().out == "pitch 2\n"
    assert main(["control", "status", *where]) == 0
    assert capsys.readouterr().out == "state running\ndelay_ms 38.5\n"
    assert main(["control", "status", "--json", *where]) == 0
    assert json.loads(capsys.readouterr().out)["status"]["state"] == "running"
    assert main(["control", "get", *where]) == 0
    assert "level_follow 0\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["set"], "set: give NAME=VALUE"),
        (["set", "pitch"], "set: give NAME=VALUE"),
        (["set", "pitch=99"], "pitch is 99; expected a number from -12 to 12 semitones"),
        (["set", "pich=1"], "no parameter 'pich'; did you mean pitch?"),
        (["get", "pitch", "gain"], "is too much"),
        (["status", "pitch"], "is too much"),
    ],
)
def test_the_verb_refuses_in_one_line(
    running: ControlSocket,
    arguments: list[str],
    fact: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["control", *arguments, "--socket", str(running.path)]) == 2
    error = capsys.readouterr().err
    assert fact in error
    assert error.count("\n") == 1


def test_no_run_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["control", "status", "--socket", str(tmp_path / "none")]) == 2
    assert "no run listens there; start `edge-vc-rt run BUNDLE`" in capsys.readouterr().err


KEYS_SCRIPT = """
import sys
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.control.key_control import KeyControl
import threading
done = threading.Event()
parameters = Parameters()
with KeyControl(parameters, lambda line: print(line, flush=True), done.set):
    print("ready", flush=True)
    done.wait(20)
    if sys.argv[1] == "fail":
        raise RuntimeError
"""


@pytest.mark.parametrize("way", ["q", "fail", "signal"])
def test_the_terminal_is_put_back_on_every_way_out(way: str) -> None:
    """In a pseudo-terminal of its own, as its foreground process."""
    import pty
    import signal
    import termios

    leader, follower = pty.openpty()
    before = termios.tcgetattr(follower)
    script = KEYS_SCRIPT.replace("import threading", "import signal, threading", 1)
    if way == "signal":
        script = "import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(1))\n" + script
        script = "import sys\n" + script
    start = (
        "import fcntl, termios, os, sys; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        f"exec(compile({script!r}, 'keys', 'exec'))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", start, way],
        stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    assert not termios.tcgetattr(follower)[3] & termios.ICANON
    os.write(leader, b"\x1b[A\x1bOP]")  # an arrow and F1 mean nothing
    assert process.stdout.readline() == b"pitch 1 semitones\n"
    if way == "signal":
        process.send_signal(signal.SIGTERM)
    else:
        os.write(leader, b"q")
    process.wait(20)
    assert termios.tcgetattr(follower) == before
    process.stdout.close()
    os.close(leader)
    os.close(follower)
