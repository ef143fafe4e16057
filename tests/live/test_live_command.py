"""The command ``run BUNDLE`` on a sound server: signals, recordings, pipes, exit codes."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from live_sound import SoundServer, loudest_hz, tone

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


def start(bundle: Path, *arguments: str, **settings: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "edge_vc_runtime", "run", str(bundle), "--no-realtime"]
    return subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **settings,  # type: ignore[call-overload]
    )


def started(process: subprocess.Popen[bytes]) -> list[str]:
    """Wait until the budget has been printed, which comes after the first callback was set."""
    assert process.stderr is not None
    lines = []
    while True:
        line = process.stderr.readline().decode()
        assert line, "ended too early: " + "".join(lines)
        lines.append(line)
        if line.lstrip().startswith("total"):
            return lines


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_at_once_and_the_recordings_are_whole(
    sound: SoundServer, mini: Path, tmp_path: Path, number: int, code: int
) -> None:
    made, said = tmp_path / "made.wav", tmp_path / "said.wav"
    process = start(mini, "--record", str(made), "--record-input", str(said))
    started(process)
    sound.feed(tone(700, 1.0)).wait()
    begin = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - begin < 1.5  # 0.5 s on a calm machine: the benchmark's figure
    assert process.returncode == code, errors.decode()
    assert "Traceback" not in errors.decode()
    for place in (made, said):
        audio, rate = soundfile.read(place)
        assert (rate, audio.ndim) == (16000, 1)
        assert audio.size > 8000
        assert loudest_hz(audio, rate) == pytest.approx(700, abs=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made.wav", "said.wav"]


def test_seconds_ends_it_with_a_summary(sound: SoundServer, mini: Path) -> None:
    process = start(mini, "--seconds", "1.5")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "live run:" in errors.decode()


def test_a_full_disk_ends_the_recording_not_the_conversion(
    sound: SoundServer, mini: Path, tmp_path: Path
) -> None:
    place = tmp_path / "made.wav"

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))

    process = start(mini, "-q", "--seconds", "4", "--record", str(place), preexec_fn=small_disk)
    begin = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - begin > 4
    assert process.returncode == 1
    lines = errors.decode().splitlines()
    # libpulse's shared memory is a file too, under the same limit.
    lines = [line for line in lines if not line.startswith("ftruncate() failed")]
    assert len(lines) == 1, lines
    assert "the recording ends here, what came before is kept" in lines[0]
    audio, _ = soundfile.read(place)
    assert 10000 < audio.size <= 15000


def test_a_closed_pipe_ends_the_recording_not_the_conversion(
    sound: SoundServer, mini: Path
) -> None:
    process = start(mini, "-q", "--seconds", "3", "--record", "-", stdout=subprocess.PIPE)
    assert process.stdout is not None
    first = process.stdout.read(3200)
    process.stdout.close()
    assert len(first) == 3200
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) in (1, 141)
    assert len(errors.splitlines()) == 1, errors
    assert "Traceback" not in errors


def test_a_closed_terminal_does_not_end_it(sound: SoundServer, mini: Path, tmp_path: Path) -> None:
    place = tmp_path / "made.wav"
    process = start(mini, "--seconds", "2.5", "--record", str(place))
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(60) == 0
    assert soundfile.info(place).frames > 16000


def test_a_virtual_microphone_gives_the_converted_voice(own_sound: SoundServer, mini: Path) -> None:
    process = start(mini, "--virtual-mic", "kathleen", "--input", "mic_feed")
    started(process)
    try:
        with own_sound.recording("kathleen") as made:
            own_sound.feed(tone(700, 4.0)).wait()
            time.sleep(0.3)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert np.abs(made.samples).max() > 0.05
    assert loudest_hz(made.samples) == pytest.approx(700, abs=5)


def test_contradictions_and_unknown_devices_teach(sound: SoundServer, mini: Path) -> None:
    for arguments, words in (
        (["--virtual-mic", "a", "--output", "b"], "--virtual-mic takes the place of --output"),
        (["--input", "nothing like it"], "there is no input 'nothing like it'; choose from"),
        (["--backend", "nothing"], "no back end 'nothing', choose from auto, pyaudio"),
        (["--record", str(mini.parent / "none" / "a.wav")], "its folder does not exist"),
    ):
        process = start(mini, *arguments)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert len(errors.decode().splitlines()) == 1, errors.decode()
        assert words in errors.decode()
    assert os.environ["PULSE_SERVER"]
