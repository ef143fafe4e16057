"""A process that speaks: one JSON request per line on stdin, 16-bit samples on stdout.

eSpeak NG keeps its voice, callbacks and random state in global variables. A separate process keeps
them out of ours. It uses only the standard library, so that it starts quickly.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import IO

SYNCHRONOUS = 2
DONT_EXIT = 0x8000
UTF8 = 1
RATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4

Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class SpeechError(RuntimeError):
    """eSpeak NG rejected something; the message says what."""


class Espeak:
    """The library and its data, opened once per process."""

    def __init__(self, library: str, data: str) -> None:
        self._library = ctypes.CDLL(library)
        self._pieces: list[bytes] = []
        # The library keeps a pointer to the callback, which must live as long as this object.
        self._callback = Callback(self._collect)
        self.sample_rate: int = self._library.espeak_Initialize(
            SYNCHRONOUS, 0, data.encode(), DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise SpeechError(f"eSpeak NG finds no voices in {data}")
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, pitch: int, pitch_range: int, rate: int) -> bytes:
        """Return 16-bit samples at `sample_rate`; ``rate`` is in words per minute, others 0-99."""
        self._pieces.clear()
        # Breath and flutter are random, and seeded with the time unless a seed is set.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._check(self._library.espeak_SetVoiceByName(voice.encode()), f"voice {voice}")
        settings = {RATE: rate, VOLUME: 80, PITCH: pitch, RANGE: pitch_range}
        for setting, value in settings.items():
            code = self._library.espeak_SetParameter(setting, value, 0)
            self._check(code, f"setting {setting} = {value}")
        encoded = text.encode()
        size = ctypes.c_size_t(len(encoded) + 1)
        code = self._library.espeak_Synth(encoded, size, 0, 1, 0, UTF8, None, None)
        self._check(code, f"text {text!r}")
        self._check(self._library.espeak_Synchronize(), "synthesis")
        return b"".join(self._pieces)

    def _collect(self, samples: object, count: int, events: object) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, 2 * count))  # type: ignore[arg-type]
        return 0

    def _check(self, code: int, what: str) -> None:
        if code != 0:
            raise SpeechError(f"eSpeak NG refuses {what} (code {code})")


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until they end: a JSON line with rate and byte count, then the samples."""
    import espeakng_loader

    espeak = Espeak(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    for line in requests:
        try:
            samples = espeak.speak(**json.loads(line))
            answer: dict[str, int | str] = {
                "sample_rate": espeak.sample_rate,
                "bytes": len(samples),
            }
        except (SpeechError, TypeError, ValueError) as error:
            samples, answer = b"", {"error": str(error)}
        answers.write(json.dumps(answer).encode() + b"\n" + samples)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
