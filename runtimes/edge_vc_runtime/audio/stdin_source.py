"""Standard input as a source: a WAV file, or raw samples."""

from __future__ import annotations

import os
import sys

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.raw_source import RawSource
from edge_vc_runtime.audio.source import AudioSource, SourceKind
from edge_vc_runtime.audio.wav_stream import WavStream

_WAV = ("RIFF", "RF64", "BW64")
_OTHERS = {
    b"fLaC": "a FLAC file",
    b"OggS": "an Ogg file",
    b"FORM": "an AIFF file",
    b"caff": "a CAF file",
    b".snd": "an AU file",
    b"riff": "a W64 file",
    b"wvpk": "a WavPack file",
    b"RIFX": "a big-endian WAV file",
    b"\x1aE\xdf\xa3": "a Matroska file",
    b"ID3\x03": "an MP3 file",
    b"ID3\x04": "an MP3 file",
    b"\xff\xfb": "an MP3 file",
    b"\xff\xf3": "an MP3 file",
}
"""What a stream begins with that is no raw audio."""
_FIRST = 12


def open_stdin(descriptor: int, sample_rate: int, raw: bool = False) -> AudioSource:
    """Look at the first bytes: a WAV file is read as one, everything unknown is raw S16_LE mono.

    ``sample_rate`` in Hz is that of raw audio, and ``raw`` takes any bytes as such. Raises
    `AudioIOError` for other containers, which cannot be read from a pipe.
    """
    if raw:
        return RawSource(descriptor, sample_rate)
    begun = _first_bytes(descriptor)
    if begun[:4].decode("latin-1") in _WAV and begun[8:] == b"WAVE":
        return WavStream(descriptor, begun)
    kind = next((text for mark, text in _OTHERS.items() if _begins(begun, mark)), None)
    if kind is not None:
        raise AudioIOError(
            f"stdin holds {kind}; decode it on the way: ffmpeg -i - -f wav - | ...; "
            "--raw takes its bytes as raw samples"
        )
    return RawSource(descriptor, sample_rate, begun)


def _begins(begun: bytes, mark: bytes) -> bool:
    if len(mark) > 2:
        return begun.startswith(mark)
    # An MPEG frame: bit rate and sample rate indices have forbidden values.
    return begun.startswith(mark) and begun[2] >> 4 not in (0, 15) and begun[2] & 0x0C != 0x0C


def _first_bytes(descriptor: int) -> bytes:
    """Return the first bytes; a pipe may hand them over one by one."""
    begun = b""
    while len(begun) < _FIRST and (more := os.read(descriptor, _FIRST - len(begun))):
        begun += more
    return begun


def _open(argument: str, sample_rate: int) -> AudioSource:
    if sys.stdin.isatty():
        raise AudioIOError("stdin is a terminal; pipe raw S16_LE audio into it or name a file")
    return open_stdin(sys.stdin.fileno(), sample_rate)


STDIN_SOURCE = SourceKind(
    name="stdin",
    usage="- for a WAV file or raw S16_LE mono on stdin",
    accepts=lambda argument: argument == "-",
    open=_open,
    states_rate=False,
)
