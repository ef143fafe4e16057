"""Recording beside the loop: complete files, and failures that end the recording only."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import soundfile

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.sinks import sink_kind
from edge_vc_runtime.live.recorder import Recorder


class Disk:
    """A sink that takes so many samples, then is full."""

    name = "voice.wav"

    def __init__(self, room: int, rescuable: bool = True) -> None:
        self.room = room
        self.written = 0
        self.state = "open"
        self._rescuable = rescuable

    def write(self, samples: np.ndarray) -> None:
        if self.written + samples.size > self.room:
            raise AudioIOError("voice.wav: No space left on device")
        self.written += samples.size

    def finish(self) -> None:
        if not self._rescuable:
            raise AudioIOError("voice.wav: No space left on device")
        self.state = "finished"

    def abort(self) -> None:
        self.state = "aborted"


def hops(count: int) -> np.ndarray:
    return np.linspace(-0.5, 0.5, count * 160, dtype=np.float32).reshape(count, 160)


def test_everything_that_was_pushed_is_in_the_file(tmp_path: Path) -> None:
    place = tmp_path / "voice.wav"
    lines: list[str] = []
    recorder = Recorder(sink_kind(str(place)).open(str(place), 16000), 16000, lines.append)
    for hop in hops(250):
        recorder.push(hop)
    recorder.close()
    recorder.close()
    audio, rate = soundfile.read(place, dtype="float32")
    assert (rate, audio.size, recorder.failed, lines) == (16000, 40000, False, [])
    np.testing.assert_allclose(audio, hops(250).reshape(-1), atol=1 / 32768)


def test_a_recording_without_a_sample_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "voice.wav"
    place.write_bytes(b"old")
    Recorder(sink_kind(str(place)).open(str(place), 16000), 16000, print).close()
    assert place.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_full_disk_ends_the_recording_with_one_line() -> None:
    disk = Disk(room=20000)
    lines: list[str] = []
    failed = threading.Event()

    def fail(line: str) -> None:
        lines.append(line)
        failed.set()

    recorder = Recorder(disk, 16000, fail)
    for hop in hops(300):
        recorder.push(hop)
    recorder.close()
    for hop in hops(3):
        recorder.push(hop)  # harmless after the end
    assert failed.is_set()
    assert recorder.failed
    assert lines == [
        "voice.wav: No space left on device; the recording ends here, what came before is kept"
    ]
    assert disk.state == "finished"


def test_what_cannot_be_completed_is_removed() -> None:
    disk = Disk(room=100, rescuable=False)
    lines: list[str] = []
    recorder = Recorder(disk, 16000, lines.append)
    recorder.push(hops(1)[0])
    recorder.close()
    assert lines == [
        "voice.wav: No space left on device; the recording ends here, nothing of it could be kept"
    ]
    assert disk.state == "aborted"


def test_a_slow_disk_is_reported() -> None:
    gate = threading.Event()

    class Slow(Disk):
        def write(self, samples: np.ndarray) -> None:
            gate.wait(20)

    lines: list[str] = []
    recorder = Recorder(Slow(0), 16000, lines.append)
    for hop in hops(1500):  # 15 s, the ring holds 5
        recorder.push(hop)
    gate.set()
    recorder.close()
    assert recorder.failed
    assert "the disk was too slow" in lines[0]


def test_what_fits_on_a_full_disk_is_a_whole_recording(tmp_path: Path) -> None:
    script = """
import resource, sys
import numpy as np
from edge_vc_runtime.audio.sinks import sink_kind
from edge_vc_runtime.live.recorder import Recorder
recorder = Recorder(sink_kind(sys.argv[1]).open(sys.argv[1], 16000), 16000, print)
resource.setrlimit(resource.RLIMIT_FSIZE, (5001, 5001))
for hop in np.linspace(-0.5, 0.5, 16000, dtype=np.float32).reshape(100, 160):
    recorder.push(hop)
recorder.close()
raise SystemExit(recorder.failed)
"""
    place = tmp_path / "voice.wav"
    done = subprocess.run(
        [sys.executable, "-c", script, str(place)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.endswith(
        "File too large; the recording ends here, what came before is kept\n"
    )
    audio, _ = soundfile.read(place, dtype="float32")
    expected = np.linspace(-0.5, 0.5, 16000, dtype=np.float32)[: (5001 - 44) // 2]
    np.testing.assert_allclose(audio, expected, atol=1 / 32768)
