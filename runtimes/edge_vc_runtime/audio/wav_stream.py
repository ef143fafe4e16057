"""A WAV file read from a pipe, as written by arecord and ffmpeg."""

from __future__ import annotations

import os
from collections.abc import Iterator
from select import select
from typing import BinaryIO, cast

import numpy as np

from edge_vc_runtime.audio.downmix import Downmix
from edge_vc_runtime.audio.error import AudioIOError, check_rate
from edge_vc_runtime.audio.source import BLOCK_FRAMES
from edge_vc_runtime.audio.wav import decode_frames
from edge_vc_runtime.audio.wav_header import (
    CONTINUED,
    ForwardReader,
    more_samples_follow,
    read_wav_header,
)
from edge_vc_runtime.samples import Samples


class WavStream:
    """Audio after a WAV header on a file descriptor, passed on as soon as it arrives."""

    def __init__(self, descriptor: int, begun: bytes = b"") -> None:
        self.name = "stdin"
        self._reader = ForwardReader(cast(BinaryIO, _Descriptor(descriptor)), begun)
        header = read_wav_header(self._reader, self.name)
        self._format = header.format
        self.sample_rate = header.format.sample_rate
        check_rate(self.name, self.sample_rate)
        self.channels = header.format.channels
        self.frames = None if header.size is None else header.size // self._format.frame_bytes
        self._downmix = Downmix(self.channels)
        self._descriptor, self._size, self._continued = descriptor, header.size, False

    @property
    def notice(self) -> str | None:
        """How it is read; irregularities are only known once the audio has been read."""
        told = "stdin holds a WAV file and is read as one; --raw takes its bytes"
        facts = [self._downmix.notice] if self._downmix.notice else []
        if self._continued:
            facts.append(CONTINUED)
        return f"{self.name}: {'; '.join(facts)}" if facts else told

    def blocks(self) -> Iterator[Samples]:
        """Yield the result of each read; raises `AudioIOError` at the first NaN or infinity."""
        size = self._format.frame_bytes
        left, done, rest = self.frames, 0, b""
        while left is None or left > 0:
            wanted = BLOCK_FRAMES if left is None else min(left, BLOCK_FRAMES)
            data = rest + self._reader.read_some(wanted * size - len(rest))
            if len(data) == len(rest):
                return
            count = len(data) // size
            rest = data[count * size :]
            if count:
                yield self._checked(decode_frames(data[: count * size], self._format), done)
            done += count
            left = None if left is None else left - count
        self._look_behind()

    def _look_behind(self) -> None:
        """Check whether more data is already available, without waiting for it."""
        if self._size is not None and select([self._descriptor], [], [], 0)[0]:
            self._reader.skip(self._size % self._format.frame_bytes)
            self._continued = more_samples_follow(self._reader, self._size)

    def close(self) -> None:
        """Do nothing: the descriptor belongs to the caller."""

    def _checked(self, block: np.ndarray, done: int) -> Samples:
        mono = self._downmix.mix(block)
        finite = np.isfinite(mono)
        if not finite.all():
            bad = done + int(np.argmin(finite))
            raise AudioIOError(f"{self.name}: sample {bad} is NaN or infinite")
        return mono


class _Descriptor:
    """A file descriptor as an unbuffered stream; a buffer would wait for more data."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, count: int) -> bytes:
        return os.read(self._descriptor, count)
