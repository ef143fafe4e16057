"""C libraries' chatter stays off the terminal, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from edge_vc_runtime.devices.library_noise import captured_stderr, filtered_stderr, is_noise

NOISE = [
    "ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM cards.pcm.front",
    "Expression 'PaAlsaStream_WaitForFrames( stream )' failed in 'src/pa_linux_alsa.c', line: 4285",
    "Cannot connect to server socket err = No such file or directory",
    "Cannot connect to server request channel",
    "jack server is not running or cannot be started",
    "JackShmReadWritePtr::~JackShmReadWritePtr - Init not done for -1, skipping unlock",
]
NEWS = [
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "free(): invalid pointer",
    "WARNING: the ALSA lib of this system is old",
    "Traceback (most recent call last):",
]


def test_noise_and_news() -> None:
    assert all(is_noise(line.encode()) for line in NOISE)
    assert not any(is_noise(line.encode()) for line in NEWS)


def test_noise_is_held_and_news_come_through(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_stderr() as noise:
        for line in (*NOISE[:3], *NEWS, *NOISE[3:]):
            os.write(2, f"{line}\n".encode())
        assert capfd.readouterr().err == ""
    assert noise == NOISE
    assert capfd.readouterr().err == "".join(f"{line}\n" for line in NEWS)
    os.write(2, b"ALSA lib afterwards\n")
    assert capfd.readouterr().err == "ALSA lib afterwards\n", "only while the block runs"


def test_news_come_through_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with captured_stderr():
            os.write(2, b"why\xff")
            raise ValueError

    with pytest.raises(ValueError, match="^$"):
        fail()
    assert capfd.readouterr().err.startswith("why")


def test_threads_take_turns(capfd: pytest.CaptureFixture[str]) -> None:
    def look() -> None:
        for _ in range(50):
            with captured_stderr():
                os.write(2, b"ALSA lib x\n")

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_a_whole_run_can_be_filtered(capfd: pytest.CaptureFixture[str]) -> None:
    before = sys.stderr
    with filtered_stderr():
        os.write(2, f"{NOISE[0]}\n{NEWS[0]}\nhalf".encode())
        with captured_stderr() as noise:
            os.write(2, f"{NOISE[1]}\n".encode())
        os.write(2, b" a line")
        sys.stderr.write("\rhop 12")
    assert noise == [NOISE[1]]
    assert sys.stderr is before
    text = capfd.readouterr().err
    assert "\rhop 12" in text, "as it comes, among whole lines"
    assert text.replace("\rhop 12", "") == f"{NEWS[0]}\nhalf a line"


def test_a_closed_stderr_is_no_error() -> None:
    script = (
        "import os; os.close(2)\n"
        "from edge_vc_runtime.devices import captured_stderr, filtered_stderr\n"
        "with filtered_stderr(), captured_stderr(): print('done')"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_what_is_held_back_is_bounded(capfd: pytest.CaptureFixture[str]) -> None:
    line = b"ALSA lib pcm.c: the same again and again\n" * 1000
    refused = 0
    with captured_stderr() as noise:
        for _ in range(100):
            try:
                os.write(2, line)
            except OSError:
                refused += 1
    assert refused > 0
    assert 20_000 < len(noise) < 30_000
    assert capfd.readouterr().err == ""


def test_a_limit_on_the_size_of_files_is_no_error() -> None:
    script = (
        "import os, resource\n"
        "from edge_vc_runtime.devices.library_noise import captured_stderr\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))\n"
        "with captured_stderr() as noise:\n"
        "    os.write(2, b'ALSA lib says something\\n')\n"
        "assert noise == ['ALSA lib says something']\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
