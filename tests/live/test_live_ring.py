"""The ring between a callback and the inference thread."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_vc_runtime.live.ring import Ring

ACTIONS = st.tuples(st.sampled_from(["write", "silence", "read", "skip"]), st.integers(0, 40))


@settings(deadline=None, max_examples=200)
@given(
    capacity=st.integers(1, 32),
    channels=st.integers(1, 3),
    actions=st.lists(ACTIONS, max_size=60),
)
def test_is_a_queue_of_frames(capacity: int, channels: int, actions: list[tuple[str, int]]) -> None:
    ring = Ring(capacity, channels, "int16")
    queue: list[int] = []
    sent = 0
    for action, count in actions:
        if action == "write":
            block = np.arange(sent + 1, sent + 1 + count, dtype=np.int16)
            taken = ring.write(np.repeat(block[:, None], channels, 1))
            assert taken == min(count, capacity - len(queue))
            queue += block[:taken].tolist()
            sent += taken
        elif action == "silence":
            taken = ring.write_silence(count)
            assert taken == min(count, capacity - len(queue))
            queue += [0] * taken
        elif action == "read":
            into = np.full((count, channels), -1, np.int16)
            given_ = ring.read(into)
            assert given_ == min(count, len(queue))
            assert (into[:given_] == np.array(queue[:given_], np.int16)[:, None]).all()
            assert (into[given_:] == -1).all()
            queue = queue[given_:]
        else:
            dropped = ring.skip(count)
            assert dropped == min(count, len(queue))
            queue = queue[dropped:]
        assert (ring.available, ring.free) == (len(queue), capacity - len(queue))


@pytest.mark.parametrize("sample_type", ["float32", "int16", "int32"])
def test_keeps_the_sample_type(sample_type: str) -> None:
    ring = Ring(4, 1, sample_type)
    into = np.zeros((2, 1), sample_type)
    ring.write(np.array([[1], [2]], sample_type))
    ring.read(into)
    assert into[:, 0].tolist() == [1, 2]


def test_two_threads_see_every_frame_once_and_in_order() -> None:
    ring = Ring(61, 2, "int32")
    total = 20_000
    got: list[np.ndarray] = []

    def write() -> None:
        sent = 0
        while sent < total:
            count = min(1 + sent % 23, total - sent)
            block = np.arange(sent, sent + count, dtype=np.int32)
            sent += ring.write(np.repeat(block[:, None], 2, 1))
            time.sleep(0)

    def read() -> None:
        into = np.zeros((17, 2), np.int32)
        received = 0
        while received < total:
            count = ring.read(into)
            got.append(into[:count].copy())
            received += count
            time.sleep(0)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # as many changes between the threads as possible
    try:
        threads = [threading.Thread(target=target) for target in (write, read)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(before)
    received = np.concatenate(got)
    assert (received == np.arange(total)[:, None]).all()
