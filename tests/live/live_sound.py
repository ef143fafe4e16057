"""A sound server of the tests' own: two null sinks, one to hear and one to speak into."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

RATE = 48000
"""Hz, of both null sinks."""
TOOLS = ("pulseaudio", "pactl", "paplay", "parec")
ALSA_CONFIG = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.pulse { type pulse }
pcm.mic_feed { type pulse
  device "mic_feed.monitor" }
pcm.speaker { type pulse
  device "speaker" }
pcm.speaker_heard { type pulse
  device "speaker.monitor" }
pcm.mic_mouth { type pulse
  device "mic_feed" }
"""


def missing() -> str:
    """Return what keeps the tests from having a sound server, empty when nothing does."""
    lacks = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacks:
        return f"{', '.join(lacks)} not installed: apt install pulseaudio pulseaudio-utils"
    if not Path("/usr/share/alsa/alsa.conf").is_file() or not any(
        Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")
    ):
        return "no ALSA plugin for PulseAudio: apt install libasound2-plugins"
    if find_spec("pyaudio") is None:
        return "PyAudio is not installed: apt install portaudio19-dev, make install"
    return ""


class SoundServer:
    """PulseAudio with the null sinks ``speaker`` and ``mic_feed``, for this process alone.

    ``mic_feed.monitor`` is the microphone, ``speaker.monitor`` hears what is played. PortAudio
    knows both by the ALSA names ``default`` (microphone and speaker), ``mic_feed`` and ``speaker``;
    ``mic_mouth`` speaks into the microphone and ``speaker_heard`` records what the speaker plays.
    """

    def __init__(self, real_time: bool = False) -> None:
        """``real_time``: its threads get the priorities that distributions give them, as root."""
        self._priority = "yes" if real_time else "no"
        self.folder = Path(tempfile.mkdtemp(prefix="edge-vc-sound-"))
        self.socket = self.folder / "native"
        (self.folder / "asound.conf").write_text(ALSA_CONFIG)
        self.environment = {
            "ALSA_CONFIG_PATH": str(self.folder / "asound.conf"),
            "JACK_NO_START_SERVER": "1",
            "PULSE_COOKIE": str(self.folder / "cookie"),
            "PULSE_RUNTIME_PATH": str(self.folder),
            "PULSE_SERVER": f"unix:{self.socket}",
            "PULSE_STATE_PATH": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SoundServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        sink = f"module-null-sink norewinds=1 rate={RATE} channels=2 sink_name="
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1",
                    "--use-pid-file=no",
                    f"--realtime={self._priority}", f"--high-priority={self._priority}",
                    "--log-target=stderr",
                    "-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}",
                    "-L", f"{sink}speaker", "-L", f"{sink}mic_feed",
                ],
                env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        self.pactl("set-default-sink", "speaker")
        self.pactl("set-default-source", "mic_feed.monitor")

    def stop(self) -> None:
        """End the server: to its clients every device vanishes at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.socket.unlink(missing_ok=True)

    def pactl(self, *arguments: str) -> str:
        """Run ``pactl`` and return what it prints."""
        done = subprocess.run(
            ["pactl", *arguments], env=self._environment(), capture_output=True, text=True,
            check=True, timeout=20,
        )  # fmt: skip
        return done.stdout.strip()

    def feed(self, samples: np.ndarray, rate: int = RATE) -> subprocess.Popen[bytes]:
        """Begin to play ``[T]`` into the microphone; wait for the process to hear it out."""
        path = self.folder / f"feed-{time.monotonic_ns()}.wav"
        soundfile.write(path, np.asarray(samples, np.float32), rate, subtype="FLOAT")
        return subprocess.Popen(
            ["paplay", "--device=mic_feed", "--latency-msec=20", str(path)],
            env=self._environment(), stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def recording(self, source: str = "speaker.monitor", rate: int = RATE) -> Iterator[Recording]:
        """Record a source while the block runs; `Recording.samples` holds the result then."""
        path = self.folder / f"record-{time.monotonic_ns()}.raw"
        made = Recording()
        with path.open("wb") as file:
            process = subprocess.Popen(
                [
                    "parec", f"--device={source}", "--format=float32le", f"--rate={rate}",
                    "--channels=1", "--latency-msec=20", "--raw",
                ],
                env=self._environment(), stdin=subprocess.DEVNULL, stdout=file,
            )  # fmt: skip
            try:
                deadline = time.monotonic() + 20
                while not path.stat().st_size:  # it listens once the first samples are there
                    if time.monotonic() > deadline or process.poll() is not None:
                        raise RuntimeError(f"nothing can be recorded from {source}")
                    time.sleep(0.01)
                yield made
            finally:
                process.terminate()
                process.wait()
        made.samples = np.fromfile(path, "<f4")

    def _answers(self) -> bool:
        done = subprocess.run(
            ["pactl", "list", "short", "sinks"], env=self._environment(), capture_output=True
        )
        return b"mic_feed" in done.stdout

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "PULSE_LATENCY_MSEC"}
        return kept | self.environment | {"HOME": str(self.folder)}


class Recording:
    """What a source gave: ``samples`` is mono float32 ``[T]`` at the rate that was asked for."""

    def __init__(self) -> None:
        self.samples = np.zeros(0, np.float32)


def tone(hz: float, seconds: float, rate: int = RATE, level: float = 0.5) -> np.ndarray:
    """Return a sine ``[T]`` in float32."""
    return (level * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype("f4")


def loudest_hz(samples: np.ndarray, rate: int = RATE) -> float:
    """Return the frequency in Hz that has the most energy."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.shape[0])))
    return float(np.argmax(spectrum) * rate / samples.shape[0])
