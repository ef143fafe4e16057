"""Cuts long recordings into files of some seconds each, at the quietest places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import write_audio
from edge_vc.audio.level import frame_power
from edge_vc.audio.long_audio import file_blocks, longer_than
from edge_vc.audio.span import Span
from edge_vc.audio.stream import cut
from edge_vc.data.utterance import Utterance

LONGEST_SECONDS = 60.0
"""Recordings up to this length are not cut."""
FRAME_SECONDS = 0.01
LONGEST, SHORTEST = 2000, 1000
"""Longest piece in frames, and frames after which the quietest place is searched for."""
_AROUND = 15
"""Frames whose mean power measures how quiet a place is."""


def cut_recordings(
    utterances: Sequence[Utterance], folder: Path, sample_rate: int
) -> list[Utterance]:
    """Return the utterances with long ones cut into pieces, which are written under ``folder``.

    Files are read block by block: no more than a piece is held in memory. The text of a piece is
    unknown. Raises `AudioError`.
    """
    return [
        piece
        for utterance in utterances
        for piece in (
            _pieces(utterance, folder, sample_rate)
            if longer_than(utterance.path, LONGEST_SECONDS)
            else (utterance,)
        )
    ]


def _pieces(utterance: Utterance, folder: Path, sample_rate: int) -> Iterator[Utterance]:
    folder.mkdir(parents=True, exist_ok=True)
    frame = round(FRAME_SECONDS * sample_rate)
    power = _power(utterance.path, sample_rate, frame)
    edges = [0, *quiet_places(power), len(power)]
    spans = [Span(low * frame, high * frame) for low, high in pairwise(edges)]
    pieces = cut(file_blocks(utterance.path, sample_rate), spans)
    for number, samples in enumerate(pieces):
        name = f"{utterance.utt_id}-{number:04d}"
        path = folder / f"{utterance.speaker}-{name}.flac"
        write_audio(path, samples, sample_rate, "PCM_24")
        seconds = len(samples) / sample_rate
        yield replace(utterance, path=path, utt_id=name, seconds=seconds, text="")


def quiet_places(power: NDArray[np.floating]) -> list[int]:
    """Return the frames to cut before, each at the quietest place within range."""
    frames = len(power)
    quiet = np.convolve(power, np.ones(_AROUND) / _AROUND, "same")
    places = []
    start = 0
    while frames - start > LONGEST:
        low, high = start + SHORTEST, min(start + LONGEST, frames - SHORTEST // 2)
        start = low + int(np.argmin(quiet[low:high]))
        places.append(start)
    return places


def _power(path: Path, sample_rate: int, frame: int) -> NDArray[np.float64]:
    rest, found = np.zeros(0, np.float32), []
    for block in file_blocks(path, sample_rate):
        heard = np.concatenate([rest, block])
        whole = len(heard) // frame * frame
        rest = heard[whole:]
        if whole:
            found.append(frame_power(heard[:whole], frame))
    return np.concatenate(found)
