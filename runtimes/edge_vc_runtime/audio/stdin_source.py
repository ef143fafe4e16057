"""Standard input as a source: a WAV file, or raw samples."""

from __future__ import annotations

import os
import sys

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.raw_source import RawSource
from edge_vc_runtime.audio.source import AudioSource, SourceKind
from edge_vc_runtime.audio.wav_header import UnknownWavError
from edge_vc_runtime.audio.wav_stream import WavStream

_DECODE = "decode it on the way: ffmpeg -i - -f wav - | ..."
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
    b"RIFF": "an AVI file or another RIFF file without sound",
    b"ID3": "an MP3 file",
    b"\x30\x26\xb2\x75": "a WMA file",
    b"#!AMR": "an AMR file",
    b"MAC ": "a Monkey's Audio file",
    b"TTA1": "a TTA file",
    b"DSD ": "a DSF file",
    b"FRM8": "a DSDIFF file",
    b"MThd": "a MIDI file",
    b"NIST_1A": "a SPHERE file",
    b"Creative Voi": "a VOC file",
    b"\x0b\x77": "an AC-3 file",
    b"\x1f\x8b\x08": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"PK\x03\x04": "a zip file",
    b"7z\xbc\xaf": "a 7z file",
}
"""First bytes of streams that are not raw audio."""
_MPEG = {b"\xff\xf1": "AAC", b"\xff\xf9": "AAC"} | {
    bytes([0xFF, second]): "MP3" for second in (0xE2, 0xE3, 0xF2, 0xF3, 0xFA, 0xFB, 0xFC, 0xFD)
}
"""First bytes of frames without a container, including MP2."""
_FIRST = 12


def open_stdin(descriptor: int, sample_rate: int, raw: bool = False) -> AudioSource:
    """Inspect the first bytes: a WAV file is read as such, anything unknown as raw S16_LE mono.

    ``sample_rate`` in Hz is that of raw audio, and ``raw`` treats any bytes as raw audio. Raises
    `AudioIOError` for other containers, which cannot be read from a pipe.
    """
    if raw:
        return RawSource(descriptor, sample_rate)
    begun = _first_bytes(descriptor)
    if begun[:4].decode("latin-1") in _WAV and begun[8:] == b"WAVE":
        try:
            return WavStream(descriptor, begun)
        except UnknownWavError as error:
            raise AudioIOError(f"{error}; {_DECODE}") from error
    kind = _kind(begun)
    if kind is not None:
        raise AudioIOError(f"stdin holds {kind}; {_DECODE}; --raw takes its bytes as raw samples")
    return RawSource(descriptor, sample_rate, begun)


def _kind(begun: bytes) -> str | None:
    """Return what a stream holds if it is not raw audio, otherwise None."""
    for mark, text in _OTHERS.items():
        if begun.startswith(mark):
            return text
    if begun[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return "an MP4, M4A or MOV file"
    if begun[:2] in _MPEG and _is_frame(begun):
        return f"an {_MPEG[begun[:2]]} file"
    if len(begun) == _FIRST and all(32 <= byte < 127 or byte in b"\r\n\t" for byte in begun):
        return "text"  # no recording begins with six consecutive samples near full scale
    return None


def _is_frame(begun: bytes) -> bool:
    """Return whether the rate and the size in an MPEG frame's header are valid."""
    if _MPEG[begun[:2]] == "AAC":
        return begun[2] >> 2 & 15 < 13
    return begun[2] >> 4 not in (0, 15) and begun[2] & 0x0C != 0x0C


def _first_bytes(descriptor: int) -> bytes:
    """Return the first bytes; a pipe may deliver them one by one."""
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
