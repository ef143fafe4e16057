"""A few seconds of speech, converted on a board and on the host with the same bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_vc.audio.io import AudioError, read_beginning
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.remote_command import RemoteCommand
from edge_vc_boards.flash.speech_quality import compare_speech, measure_speech
from edge_vc_runtime.audio.int16 import to_int16
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.live.offline import convert_array
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session
from edge_vc_runtime.validation.speech_figures import SpeechFigures

LONGEST_S = 10
"""Seconds of a recording that are sent to the board."""
_TIMEOUT_S = 300.0


def speech_of(bundle: Bundle, path: Path | None) -> Samples:
    """Return up to 10 s of a recording, or the input of the bundle's golden recording.

    At the model's rate and quantised to 16 bits. Raises `FlashError` for an unusable file.
    """
    rate = bundle.manifest.sample_rate
    try:
        audio = bundle.golden()["input"] if path is None else read_beginning(path, rate, LONGEST_S)
    except AudioError as error:
        raise FlashError(f"--speech {error}") from error
    return _from_int16(to_int16(audio[: LONGEST_S * rate], "the speech").tobytes())


def converted_here(bundle: Bundle, speech: Samples, engine: str, threads: int) -> Samples:
    """Convert on this machine; the output is quantised to 16 bits."""
    made = convert_array(Session.open(bundle, engine, threads), speech)
    return _from_int16(to_int16(made, "the speech").tobytes())


def converted_there(command: RemoteCommand, speech: Samples, options: Sequence[str]) -> Samples:
    """Convert on the board with ``edge-vc-rt run`` over a pipe; raises `FlashError`."""
    words = ["-", "-", "--raw", "--quiet", *options]
    data = to_int16(speech, "the speech").tobytes()
    done = command.run(words, (0,), _TIMEOUT_S, data)
    if len(done.data) != len(data):
        raise FlashError(
            f"{command.target.name}: converted {len(data) // 2} samples to {len(done.data) // 2}: "
            "its shell prints something of its own, or its runtime is of another version"
        )
    return _from_int16(done.data)


def speech_figures(
    source: Samples, here: Samples, there: Samples, sample_rate: int
) -> tuple[SpeechFigures, SpeechFigures]:
    """Return the figures of host and board."""
    own = measure_speech(source, here, sample_rate)
    other = measure_speech(source, there, sample_rate)
    return own, compare_speech(here, there, sample_rate, (own, other))


def _from_int16(data: bytes) -> Samples:
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
