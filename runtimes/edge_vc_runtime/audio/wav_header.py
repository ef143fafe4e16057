"""The header of a WAV file, read sequentially, so that it may come from a pipe.

Recorders write headers in many ways: sizes are missing if a writer could not seek back to the
beginning, there are chunks of all kinds before and after the samples, and some tools count padding
while others do not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from edge_vc_runtime.audio.error import AudioIOError

PCM, FLOAT = 1, 3
_FORMS = (b"RIFF", b"RF64", b"BW64")
_EXTENSIBLE = 0xFFFE
_FLOAT_BITS = (32, 64)
_MAX_CHANNELS = 64
_MAX_CHUNKS = 4096
_UNFINISHED = 0x7FFF0000
"""Sizes from here on are placeholders of writers to a pipe: arecord, sox and ffmpeg differ."""
_SKIP = 1 << 16
CONTINUED = (
    "more samples lie behind the first ones, which alone are read: several recordings in one file; "
    "give each as a file of its own"
)
"""Notice for a file in which `more_samples_follow`."""


class UnknownWavError(AudioIOError):
    """Not a WAV file, or one with an encoding that needs a full audio library."""


@dataclass(frozen=True)
class WavFormat:
    """How samples are stored."""

    coding: int
    """`PCM` or `FLOAT`."""
    channels: int
    sample_rate: int
    """Hz."""
    bytes_per_sample: int
    low_three: bool = False
    """Whether 24 bits are in the low three of four bytes, as written by ``arecord -f S24_LE``."""

    @property
    def frame_bytes(self) -> int:
        """Bytes per frame, i.e. one sample of all channels."""
        return self.channels * self.bytes_per_sample


@dataclass(frozen=True)
class WavHeader:
    """The part of a file before the samples."""

    format: WavFormat
    size: int | None
    """Bytes of samples according to the header, None if unspecified."""


class ForwardReader:
    """Sequential reader of a file or a pipe."""

    def __init__(self, stream: BinaryIO, begun: bytes = b"") -> None:
        self.position = 0
        """Bytes read so far."""
        self._stream = stream
        self._held = begun

    def read(self, count: int) -> bytes:
        """Return the next bytes, fewer at the end."""
        data = self._held[:count]
        self._held = self._held[count:]
        while len(data) < count and (more := self._stream.read(count - len(data))):
            data += more
        self.position += len(data)
        return data

    def read_some(self, count: int) -> bytes:
        """Return the available bytes, at most ``count``; none at the end."""
        data = self._held[:count] or self._stream.read(count)
        self._held = self._held[count:]
        self.position += len(data)
        return data

    def skip(self, count: int) -> None:
        """Skip bytes; harmless beyond the end."""
        while count > 0 and (passed := len(self.read(min(count, _SKIP)))):
            count -= passed

    def give_back(self, data: bytes) -> None:
        """Push back the bytes that were read last."""
        self._held = data + self._held
        self.position -= len(data)


def read_wav_header(reader: ForwardReader, name: str) -> WavHeader:
    """Read up to the first sample; ``name`` is used in errors.

    Supports RIFF, RF64 and BW64, an ID3 tag in front of them, and chunks of any kind in between.
    Raises `UnknownWavError` for other files and encodings, `AudioIOError` for a broken file.
    """
    head = _behind_id3(reader)
    if head[:4] not in _FORMS or head[8:12] != b"WAVE":
        raise UnknownWavError(f"{name}: is not a WAV file")
    start = reader.position - 12
    whole = int.from_bytes(head[4:8], "little")
    form: WavFormat | None = None
    long_size: int | None = None
    empty = False
    for _ in range(_MAX_CHUNKS):
        chunk = reader.read(8)
        if len(chunk) < 8:
            break
        kind, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        if kind == b"data":
            if form is None:
                raise AudioIOError(f"{name}: broken WAV file, its samples come before their format")
            written_to_a_pipe = whole == 0 or start + 8 + whole <= reader.position
            if size or written_to_a_pipe or whole >= _UNFINISHED:
                return WavHeader(form, _promised(size, long_size))
            empty = True  # nothing was recorded; metadata follows
            continue
        body = reader.read(min(size, 64))
        if kind == b"fmt ":
            form = _parse_format(body, name)
        elif kind == b"ds64" and len(body) >= 16:
            long_size = int.from_bytes(body[8:16], "little")
        reader.skip(size - len(body))
        _skip_padding(reader, size)
    if form is not None and empty:
        return WavHeader(form, 0)
    raise AudioIOError(f"{name}: broken WAV file, it ends before its samples")


def more_samples_follow(reader: ForwardReader, size: int) -> bool:
    """Return whether more samples, or another file, follow ``size`` bytes of samples."""
    _skip_padding(reader, size)
    for _ in range(_MAX_CHUNKS):
        chunk = reader.read(8)
        if len(chunk) < 8:
            break
        kind, length = chunk[:4], int.from_bytes(chunk[4:], "little")
        if kind == b"data" and length:
            return True
        if kind in _FORMS:
            return reader.read(4) == b"WAVE"
        if not kind.isascii() or not kind.decode().isprintable():
            break  # a tag, or other data appended by a program
        reader.skip(length)
        _skip_padding(reader, length)
    return False


def _behind_id3(reader: ForwardReader) -> bytes:
    head = reader.read(12)
    if head[:3] == b"ID3" and len(head) == 12:
        size = 0
        for byte in head[6:10]:  # seven bits each
            size = size << 7 | byte & 0x7F
        reader.skip(size - 2)  # two of its bytes are already in `head`
        head = reader.read(12)
    return head


def _promised(size: int, long_size: int | None) -> int | None:
    if long_size:
        return long_size
    return None if size == 0 or size >= _UNFINISHED else size


def _skip_padding(reader: ForwardReader, size: int) -> None:
    """Skip the padding byte after a chunk of odd size, which some tools omit."""
    if size & 1:
        pad = reader.read(1)
        if pad not in (b"\0", b""):
            reader.give_back(pad)


def _parse_format(data: bytes, name: str) -> WavFormat:
    if len(data) < 16:
        raise AudioIOError(f"{name}: broken WAV file, its format is {len(data)} bytes long")
    coding, channels, rate, _, align, bits = struct.unpack("<HHIIHH", data[:16])
    extensible = coding == _EXTENSIBLE and len(data) >= 26
    if extensible:
        coding = int.from_bytes(data[24:26], "little")
    width = align // channels if channels else 0
    if not _known(coding, bits):
        raise UnknownWavError(f"{name}: WAV coding {coding:#x} with {bits} bits")
    if not 1 <= channels <= _MAX_CHANNELS or not _fits(coding, bits, width, align, channels):
        raise AudioIOError(
            f"{name}: broken WAV file, {channels} channels in frames of {align} bytes"
        )
    low_three = coding == PCM and bits == 24 and width == 4 and not extensible
    return WavFormat(coding, channels, rate, width, low_three)


def _known(coding: int, bits: int) -> bool:
    return bits in _FLOAT_BITS if coding == FLOAT else coding == PCM and 1 <= bits <= 32


def _fits(coding: int, bits: int, width: int, align: int, channels: int) -> bool:
    if align != width * channels:
        return False
    return width == bits // 8 if coding == FLOAT else -(-bits // 8) <= width <= 4
