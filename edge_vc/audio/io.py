"""Read and write audio files: every format that libsndfile reads, mono float32."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from edge_vc.audio.scan import READABLE
from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.file_source import look_for_cancelling
from edge_vc_runtime.audio.reader import AudioReader, open_reader
from edge_vc_runtime.files.writing import write_whole

_BLOCK_FRAMES = 1 << 16

Samples = NDArray[np.float32]
"""Mono audio ``[T]``, full scale at 1.0."""


class AudioError(ValueError):
    """Unusable audio; the message is one line with the file and the problem."""


def read_audio(path: str | Path, sample_rate: int) -> Samples:
    """Read a file as mono ``[T]`` at ``sample_rate`` Hz.

    Channels are averaged, or the loudest is used if they cancel each other; other rates are
    converted by soxr's high-quality resampler.
    Raises `AudioError` if the file is missing, is not audio, is empty or holds NaN or infinity.
    """
    path = Path(path)
    channels, rate = _read_channels(path)
    if not channels.shape[0]:
        raise AudioError(f"{path}: holds no samples; give a recording that is not empty")
    if not np.isfinite(channels).all():
        bad = int(np.argmin(np.isfinite(channels).all(axis=1)))
        raise AudioError(f"{path}: sample {bad} is NaN or infinite; export the file again")
    mono = look_for_cancelling(path, channels.shape[1]).mix(channels)
    return mono if rate == sample_rate else resample(mono, rate, sample_rate)


def read_beginning(path: str | Path, sample_rate: int, seconds: float) -> Samples:
    """Read at most the first ``seconds`` of a file, otherwise like `read_audio`."""
    path = Path(path)
    reader = open_audio(path)
    try:
        frames = round(seconds * reader.sample_rate)
        blocks = islice(read_blocks(reader, _BLOCK_FRAMES), -(-frames // _BLOCK_FRAMES))
        found = [block for block in blocks if len(block)]
    finally:
        reader.close()
    if not found:
        raise AudioError(f"{path}: holds no samples; give a recording that is not empty")
    channels = np.concatenate(found)[:frames]
    if not np.isfinite(channels).all():
        raise AudioError(f"{path}: holds NaN or infinity; export the file again")
    mono = look_for_cancelling(path, channels.shape[1]).mix(channels)
    return (
        mono
        if reader.sample_rate == sample_rate
        else resample(mono, reader.sample_rate, sample_rate)
    )


def open_audio(path: Path) -> AudioReader:
    """Open a file of any supported format; raises `AudioError`."""
    if not path.is_file():
        raise AudioError(f"{path}: no such file")
    try:
        return open_reader(path)
    except AudioIOError as error:
        fact = str(error).removeprefix(f"{path}: ").removeprefix("is not audio ")
        reason = fact.partition(";")[0].strip("()")
        raise AudioError(
            f"{path}: not readable as audio ({reason}); give one of {READABLE}"
        ) from error


def read_blocks(reader: AudioReader, frames: int) -> Iterator[NDArray[np.float32]]:
    """Yield ``[<= frames, channels]`` from the current position; raises `AudioError`."""
    try:
        yield from reader.blocks(frames)
    except AudioIOError as error:
        raise AudioError(str(error)) from error


def _read_channels(path: Path) -> tuple[NDArray[np.float32], int]:
    """Return all channels ``[T, channels]`` and the file's own rate in Hz."""
    reader = open_audio(path)
    try:
        blocks = list(read_blocks(reader, _BLOCK_FRAMES))
    finally:
        reader.close()
    empty = np.zeros((0, reader.channels), np.float32)
    return np.concatenate(blocks) if blocks else empty, reader.sample_rate


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Resample mono ``[T]`` between rates in Hz; the length becomes ``ceil(T * to / from)``.

    soxr may round the length up or down, so a missing last sample is repeated: callers can compute
    lengths in advance.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise AudioError(f"cannot resample {from_rate} Hz to {to_rate} Hz; rates are positive")
    length = -(-samples.shape[0] * to_rate // from_rate)
    resampled = soxr.resample(samples, from_rate, to_rate, quality="HQ").astype(np.float32)
    last = resampled[-1:] if resampled.size else samples[-1:]
    missing = max(0, length - resampled.shape[0])
    return np.concatenate([resampled[:length], np.repeat(last, missing)])


def write_audio(
    path: str | Path, samples: Samples, sample_rate: int, subtype: str = "PCM_16"
) -> Path:
    """Write mono ``[T]``; the suffix selects the format, values beyond full scale are clipped.

    The file is written completely or not at all; its folder must exist. Raises `AudioError`,
    before anything is written, for audio that is not one-dimensional, is empty or holds NaN, and
    for an unknown suffix.
    """
    path = Path(path)
    samples = np.asarray(samples, dtype=np.float32)
    if samples.ndim != 1:
        raise AudioError(f"{path}: writes mono [T], got shape {list(samples.shape)}")
    if not samples.size or not np.isfinite(samples).all():
        fact = "NaN or infinite samples" if samples.size else "no samples"
        raise AudioError(f"{path}: nothing written, the audio holds {fact}")
    container = path.suffix.lstrip(".").upper()
    if not soundfile.check_format(container, subtype):
        raise AudioError(f"{path}: {container or 'no suffix'} cannot hold {subtype}; use .wav")
    content = io.BytesIO()
    clipped = np.clip(samples, -1.0, 1.0)
    soundfile.write(content, clipped, sample_rate, subtype=subtype, format=container)
    return write_whole(path, content.getvalue())


def seconds_of(path: str | Path) -> float:
    """Return a file's duration in seconds, from its header or by reading it to the end.

    Raises like `read_audio`.
    """
    reader = open_audio(Path(path))
    try:
        frames = reader.frames
        if frames is None:
            frames = sum(block.shape[0] for block in read_blocks(reader, _BLOCK_FRAMES))
    finally:
        reader.close()
    return frames / reader.sample_rate
