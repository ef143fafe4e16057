"""Speech from eSpeak NG: a voice, a pitch and a text in, samples out."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from types import TracebackType

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.data.synthetic.espeak_worker import SpeechError


@dataclass(frozen=True)
class Request:
    """One sentence to speak."""

    text: str
    voice: str
    """Language and variant, such as ``en-us+f3``."""
    pitch: int
    """0 to 99; the frequency in Hz depends on the variant."""
    pitch_range: int
    """0 (monotone) to 99."""
    rate: int
    """Words per minute, 80 to 450."""


class Speaker:
    """eSpeak NG in a separate process; a context manager that ends the process.

    The same requests in the same order from the start give the same samples.
    """

    def __init__(self) -> None:
        if find_spec("espeakng_loader") is None:
            raise SpeechError("synthetic speech needs eSpeak NG: pip install espeakng-loader")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edge_vc.data.synthetic.espeak_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def speak(self, request: Request) -> tuple[Samples, int]:
        """Return samples ``[T]`` and their rate in Hz; raises `SpeechError` with the reason."""
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        if pipe_in is None or pipe_out is None or pipe_in.closed:
            raise SpeechError("the speaking process was ended; make a new Speaker")
        try:
            pipe_in.write(json.dumps(asdict(request)).encode() + b"\n")
            pipe_in.flush()
            line = pipe_out.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            code = self._process.wait()
            raise SpeechError(f"the speaking process ended with code {code} at {request}")
        answer = json.loads(line)
        if "error" in answer:
            raise SpeechError(answer["error"])
        pcm = np.frombuffer(pipe_out.read(answer["bytes"]), dtype=np.int16)
        return (pcm / np.float32(32768)).astype(np.float32), int(answer["sample_rate"])

    def close(self) -> None:
        """End the process, which stops by itself when its requests end."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
        self._process.wait()

    def __enter__(self) -> Speaker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
