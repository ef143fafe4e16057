"""Streams into a live run: a queue, datagrams from another program, files by the clock."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conditioned_toys import INPUTS, conditioned_student, write_conditioned

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.bundle.input_spec import ModelInputError
from edge_vc_runtime.chain.aux_stream import HOLD_S, open_stream, read_rows
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.control.error import ControlError
from edge_vc_runtime.feeds import clocked_file
from edge_vc_runtime.feeds.clocked_file import ClockedFile
from edge_vc_runtime.feeds.fed_converter import FedConverter, fed
from edge_vc_runtime.feeds.socket_stream import SocketStream
from edge_vc_runtime.feeds.vector_queue import PLACES, VectorQueue
from edge_vc_runtime.session import Session
from edge_vc_runtime.tiers.tiers import TieredConverter

PHONES = INPUTS[-1]
ROW = np.array([0.1, 0.2, 0.3, 0.4, 0.5], np.float32)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_conditioned(conditioned_student(), tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "s"
    folder.mkdir(mode=0o700)
    return folder / "phones.sock"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def stream(place: Path, said: list[str]) -> Iterator[SocketStream]:
    opened = SocketStream(place, PHONES, said.append)
    yield opened
    opened.close()
    assert not place.exists()


def datagram(row: np.ndarray, time_s: float = 0.0) -> bytes:
    return struct.pack("<d", time_s) + row.astype("<f4").tobytes()


def send(place: Path, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for each in datagrams:
            sender.sendto(each, str(place))


def until(stream: SocketStream, wanted: np.ndarray) -> np.ndarray:
    """Take until the vector is there."""
    out = np.full(5, 9.0, np.float32)
    for _ in range(500):
        stream.next(out)
        if np.array_equal(out, wanted):
            break
        time.sleep(0.01)
    return out


def test_the_newest_vector_holds_until_the_next_and_not_for_ever() -> None:
    queue, out = VectorQueue(1), np.zeros(1, np.float32)

    def at(now: float) -> float:
        queue.take(now, out)
        return float(out[0])

    assert at(1.0) == 0
    for time_s, value in ((1.0, 1.0), (1.3, 2.0), (1.4, 3.0)):
        assert queue.put(time_s, np.float32([value]))
    assert [at(t) for t in (0.9, 1.0, 1.2, 1.35, 1.5)] == [0, 1, 1, 2, 3]
    assert at(1.4 + HOLD_S + 0.01) == 0
    assert queue.put(1.0, np.float32([4.0]))  # late: it holds from the last one's time on
    assert at(1.5) == 4


def test_a_full_queue_refuses_and_goes_round() -> None:
    queue, out = VectorQueue(1), np.zeros(1, np.float32)
    for index in range(PLACES):
        assert queue.put(float(index), np.float32([index]))
    assert not queue.put(float(PLACES), np.float32([0]))
    for index in range(1, 3 * PLACES):
        queue.take(float(index), out)
        assert out[0] == index
        coming = float(index + PLACES - 1)
        assert queue.put(coming, np.float32([coming]))


def test_a_datagram_reaches_the_hop(stream: SocketStream, place: Path) -> None:
    assert place.stat().st_mode & 0o077 == 0
    send(place, datagram(ROW))
    assert np.array_equal(until(stream, ROW), ROW)
    send(place, datagram(ROW * 100))
    assert np.array_equal(until(stream, np.ones(5)), np.ones(5))  # clipped to the input's range
    send(place, datagram(ROW, time.monotonic() + 30))  # known in advance: not yet
    assert np.array_equal(until(stream, np.zeros(5)), np.zeros(5))


@pytest.mark.parametrize(
    ("bad", "fact"),
    [
        (b"", "0 bytes; expected 28: a float64 time, 5 float32"),
        (b"x" * 27, "27 bytes; expected 28"),
        (b"x" * 5000, "more than 28 bytes; expected 28"),
        (datagram(ROW * np.nan), "numbers that are not finite"),
        (datagram(ROW, float("inf")), "numbers that are not finite"),
        (datagram(ROW, 1e12), "from now on CLOCK_MONOTONIC"),
    ],
)
def test_what_is_no_vector_is_said_once(
    stream: SocketStream, place: Path, said: list[str], bad: bytes, fact: str
) -> None:
    send(place, bad, bad, datagram(ROW))
    assert np.array_equal(until(stream, ROW), ROW)
    assert len(said) == 1
    assert said[0].startswith("stream phones: ")
    assert fact in said[0]
    assert said[0].endswith("passed over (said once)")


def test_the_socket_is_the_users_alone(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(ControlError, match="others may enter it"):
        SocketStream(tmp_path / "open" / "s", PHONES, said.append)
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "own" / "file").write_text("mine")
    with pytest.raises(ControlError, match="is not a socket"):
        SocketStream(tmp_path / "own" / "file", PHONES, said.append)
    assert (tmp_path / "own" / "file").read_text() == "mine"


def test_two_runs_do_not_share_a_socket(stream: SocketStream, place: Path, said: list[str]) -> None:
    with pytest.raises(ControlError, match="another run listens there; give --stream another"):
        SocketStream(place, PHONES, said.append)
    send(place, datagram(ROW))
    np.testing.assert_array_equal(until(stream, ROW), ROW)


def test_a_socket_that_was_left_behind_is_replaced(place: Path, said: list[str]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(str(place))
    first = SocketStream(place, PHONES, said.append)
    place.unlink()
    second = SocketStream(place, PHONES, said.append)
    first.close()
    assert place.is_socket()  # the second one's
    second.close()
    assert not place.exists()


def test_a_live_chain_is_fed(bundle: Path, place: Path, said: list[str]) -> None:
    """What is sent is heard; with nothing sent the chain says what it says without a stream."""
    audio = np.random.default_rng(0).normal(0, 0.05, (12, 160)).astype(np.float32)

    def heard(given: str | None, sent: bytes = b"") -> np.ndarray:
        tiers = TieredConverter([Session.open(bundle)])
        converter = fed(tiers, given, said.append) if given else tiers
        chain = Chain(converter, Parameters({}), None, 0.0)
        if sent and isinstance(converter, FedConverter):
            send(place, sent)
            until(converter.stream, ROW)
        out = np.concatenate([chain.step(hop).copy() for hop in audio])
        if isinstance(converter, FedConverter):
            assert converter.inputs == tiers.inputs
            converter.stream.close()
        return out

    plain = heard(None)
    given = f"phones=unix:{place}"
    assert np.array_equal(heard(given), plain)
    assert not np.array_equal(heard(given, datagram(ROW)), plain)
    assert not said


def test_a_file_beside_a_live_voice_goes_by_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "rows.npy", np.stack([ROW, 2 * ROW]))
    clock = [100.0]
    monkeypatch.setattr(clocked_file.time, "monotonic", lambda: clock[0])
    stream, out = ClockedFile(tmp_path / "rows.npy", PHONES, 0.01), np.ones(5, np.float32)
    stream.next(out)
    assert not out.any()  # warm-up: nothing has begun
    stream.begin()
    for clock[0], wanted in ((100.001, ROW), (100.015, 2 * ROW), (100.025, 0 * ROW)):
        stream.next(out)
        assert np.array_equal(out, wanted)


def test_vectors_with_times_come_with_their_hops(tmp_path: Path, bundle: Path) -> None:
    """A camera's 30 pictures a second: every hop has the newest."""
    path = tmp_path / "mouth.npz"
    np.savez(path, times=[0.015, 0.048, 2.0], values=np.stack([ROW, 2 * ROW, ROW]))
    rows = read_rows(path, PHONES, 0.01)
    expected = [0 * ROW, ROW, ROW, ROW, 2 * ROW]
    assert np.array_equal(rows[:5], expected)
    assert not rows[120].any()  # half a second after the last one, nothing is known
    assert np.array_equal(rows[199], ROW)
    assert len(rows) == 251
    session = open_stream(Session.open(bundle), f"phones={path}")
    session.step(np.zeros(160, np.float32))
    session.step(np.zeros(160, np.float32))
    assert session.session.get("phones") == pytest.approx(tuple(ROW))


@pytest.mark.parametrize(
    ("stored", "fact"),
    [
        ({"times": [1.0, 0.5], "values": np.zeros((2, 5))}, "times have to rise"),
        ({"times": [-1.0], "values": np.zeros((1, 5))}, "times have to rise"),
        ({"times": [0.0], "values": np.zeros((2, 5))}, "a .npz file of times"),
        ({"times": ["a"], "values": np.zeros((1, 5))}, "a .npz file of times"),
        ({"times": [0.0], "values": np.full((1, 5), np.nan)}, "not finite numbers"),
        ({"times": [0.0], "values": np.zeros((1, 4))}, "shape [1, 4]"),
        ({"values": np.zeros((1, 5))}, "a .npz file of times"),
        (None, "a .npz file of times"),
    ],
)
def test_a_file_with_times_that_does_not_do_is_one_line(
    tmp_path: Path, stored: dict | None, fact: str
) -> None:
    path = tmp_path / "mouth.npz"
    path.write_bytes(b"PK no archive")
    if stored is not None:
        np.savez(path, **stored)
    with pytest.raises(AudioIOError) as caught:
        read_rows(path, PHONES, 0.01)
    assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        ("phones", "expected NAME=FILE.npy"),
        ("phones=unix:", "expected phones=unix:PATH"),
        ("pitch=unix:/tmp/x", "pitch is not a stream"),
        ("mood=unix:/tmp/x", "no input 'mood'"),
    ],
)
def test_a_live_stream_that_does_not_do_is_one_line(
    bundle: Path, said: list[str], given: str, fact: str
) -> None:
    with pytest.raises(ModelInputError, match=fact):
        fed(TieredConverter([Session.open(bundle)]), given, said.append)


def test_a_socket_is_not_for_recordings(bundle: Path) -> None:
    with pytest.raises(ModelInputError, match="a socket is for a live voice"):
        open_stream(Session.open(bundle), "phones=unix:/tmp/x")
