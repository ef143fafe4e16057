"""Resampling block by block equals resampling at once."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.io import AudioError, resample
from edge_vc.audio.resample import StreamResampler


def tone(length: int, rate: int) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * 440 * np.arange(length) / rate)).astype(np.float32)


@pytest.mark.parametrize(("rate", "to"), [(44100, 16000), (16000, 48000), (16000, 16000)])
@pytest.mark.parametrize("block", [1, 160, 4410, 30000])
def test_blocks_do_not_matter(rate: int, to: int, block: int) -> None:
    audio = tone(13001, rate)
    stream = StreamResampler(rate, to)
    pieces = [stream.push(audio[start : start + block]) for start in range(0, 13001, block)]
    joined = np.concatenate([*pieces, stream.finish()])
    whole = resample(audio, rate, to)
    assert joined.shape == whole.shape == (int(np.ceil(13001 * to / rate)),)
    assert np.abs(joined - whole)[:-50].max() < 1e-4


def test_nothing_in_nothing_out() -> None:
    stream = StreamResampler(44100, 16000)
    assert stream.push(np.zeros(0, np.float32)).shape == (0,)
    assert stream.finish().shape == (0,)


def test_misuse_is_refused() -> None:
    with pytest.raises(AudioError, match="0 Hz to 16000 Hz"):
        StreamResampler(0, 16000)
    stream = StreamResampler(8000, 16000)
    stream.finish()
    for call in (stream.finish, lambda: stream.push(np.zeros(5, np.float32))):
        with pytest.raises(AudioError, match="was finished"):
            call()
