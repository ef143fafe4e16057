"""A stream is the file, whatever the blocks, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.audio.io import AudioError, read_audio
from edge_vc.audio.span import Span
from edge_vc.audio.stream import AudioFile, cut, resampled, stream_audio

RNG = np.random.default_rng(0)


def tone(length: int, rate: int) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 300 * np.arange(length) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 16000, 1, "PCM_16"),
        ("b.wav", 44100, 2, "PCM_U8"),
        ("c.wav", 48000, 1, "FLOAT"),
        ("d.flac", 8000, 2, "PCM_24"),
        ("Größe 声.wav", 22050, 1, "DOUBLE"),
        ("e.ogg", 16000, 1, "VORBIS"),
        ("f.mp3", 16000, 1, "MPEG_LAYER_III"),
    ],
    ids=lambda value: str(value),
)
def test_a_stream_is_the_file(
    tmp_path: Path, name: str, rate: int, channels: int, subtype: str
) -> None:
    samples = np.stack([tone(rate * 3 + 77, rate)] * channels, axis=1)
    soundfile.write(tmp_path / name, samples, rate, subtype=subtype)
    with AudioFile(tmp_path / name) as file:
        blocks = [file.mono(block) for block in file.blocks(0.37)]
        together = np.concatenate(list(resampled(blocks, rate, 16000)))
    whole = read_audio(tmp_path / name, 16000)
    assert together.shape == whole.shape
    assert np.abs(together - whole).max() < 2e-4
    assert max(block.size for block in blocks) <= round(0.37 * rate)


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_cuts_are_slices(size: int) -> None:
    samples = RNG.standard_normal(1000).astype(np.float32)
    spans = [Span(0, 10), Span(5, 300), Span(5, 6), Span(299, 301), Span(900, 1200)]
    blocks = [samples[at : at + size] for at in range(0, 1000, size)]
    pieces = list(cut(blocks, spans))
    assert [piece.size for piece in pieces] == [10, 295, 1, 2, 100]
    for piece, span in zip(pieces, spans, strict=True):
        assert np.array_equal(piece, samples[span.start : span.stop])


def test_cutting_holds_no_more_than_a_span_and_a_block() -> None:
    taken = 0

    def blocks() -> object:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield np.zeros(100, np.float32)

    pieces = cut(blocks(), [Span(n * 1000, n * 1000 + 200) for n in range(100)])
    for number in range(50):
        next(pieces)
        assert taken == number * 10 + 2


def test_what_is_no_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "nothing.wav").touch()
    for name, fact in (
        ("text.wav", "not readable as audio"),
        ("nothing.wav", "the file is empty, 0 bytes"),
        ("gone.wav", "no such file"),
    ):
        with pytest.raises(AudioError, match=f"{name}: {fact}"):
            AudioFile(tmp_path / name)


def test_no_samples_and_bad_samples_are_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "header.wav", np.zeros(0), 16000)
    with pytest.raises(AudioError, match="holds no samples"):
        list(stream_audio(tmp_path / "header.wav", 16000))
    bad = np.zeros(30000, np.float32)
    bad[20001] = np.nan
    soundfile.write(tmp_path / "nan.wav", bad, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match="nan.wav: sample 20001 is NaN"):
        list(stream_audio(tmp_path / "nan.wav", 16000))


def test_a_file_that_was_cut_short_is_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.flac", RNG.normal(0, 0.1, 160000), 16000)
    whole = (tmp_path / "long.flac").read_bytes()
    (tmp_path / "short.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioError, match=r"short.flac: ends after \d\.\d of 10.0 s"):
        list(stream_audio(tmp_path / "short.flac", 16000))
