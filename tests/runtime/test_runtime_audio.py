"""Audio of every shape is converted or refused in one line."""

from __future__ import annotations

import gc
import io
import os
import struct
import sys
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.file_sink import FileSink
from edge_vc_runtime.audio.file_source import FileSource
from edge_vc_runtime.audio.formats import writable_suffixes
from edge_vc_runtime.audio.int16 import to_int16
from edge_vc_runtime.audio.ogg_stream import number_stream
from edge_vc_runtime.audio.raw_sink import RawSink
from edge_vc_runtime.audio.raw_source import RawSource
from edge_vc_runtime.audio.wav import WavFile

SUBTYPES = {"PCM_U8": 2 / 256, "PCM_16": 1e-4, "PCM_24": 1e-6, "PCM_32": 1e-7, "FLOAT": 0}
SUBTYPES["DOUBLE"] = 0


def mono(path: Path) -> np.ndarray:
    source = FileSource(path)
    try:
        return np.concatenate(list(source.blocks()))
    finally:
        source.close()


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_wav_agrees_with_libsndfile(tmp_path: Path, subtype: str, channels: int, form: str) -> None:
    path = tmp_path / "a.wav"
    audio = np.random.default_rng(1).uniform(-1, 1, (20_001, channels)).astype(np.float32)
    soundfile.write(path, audio, 96000, subtype=subtype, format=form)
    reader = WavFile(path)
    assert (reader.sample_rate, reader.channels, reader.frames) == (96000, channels, 20_001)
    ours = np.concatenate(list(reader.blocks(1000)))
    reader.close()
    theirs, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-7)
    np.testing.assert_allclose(ours, audio, atol=SUBTYPES[subtype])
    np.testing.assert_allclose(mono(path), ours.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".aiff"])
def test_other_files_through_libsndfile(tmp_path: Path, suffix: str, speech: np.ndarray) -> None:
    path = tmp_path / f"a{suffix}"
    soundfile.write(path, np.stack([speech, speech], 1), 16000)
    read = mono(path)
    assert read.shape == speech.shape
    assert np.corrcoef(read, speech)[0, 1] > 0.98


def test_mu_law_wav_goes_through_libsndfile(tmp_path: Path, speech: np.ndarray) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech, 16000, subtype="ULAW")
    assert mono(path).shape == speech.shape


def test_without_soundfile(
    tmp_path: Path, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    flac, pcm = tmp_path / "a.flac", tmp_path / "a.wav"
    soundfile.write(flac, speech, 16000)
    soundfile.write(pcm, speech, 16000)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert mono(pcm).shape == speech.shape
    with pytest.raises(AudioIOError, match=r"is not a WAV file; other kinds need soundfile: pip"):
        FileSource(flac)
    with pytest.raises(AudioIOError, match=r"writing \.flac needs soundfile: pip install"):
        FileSink(tmp_path / "b.flac", 16000)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.flac", "a.wav"]


def header(rate: int = 16000, channels: int = 1, bits: int = 16, size: int = 0) -> bytes:
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * align, align, bits)
    return (
        b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size)
    )


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "is not audio"),
        (b"hello, this is text\n" * 50, "is not audio"),
        (b"RIFF\0\0\0\0WAVE", "it ends before its samples"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "its samples come before their format"),
        (b"RIFF\0\0\0\0WAVEfmt \4\0\0\0abcd", "its format is 4 bytes long"),
        (header(), "holds no samples"),
        (header(channels=0) + b"ab", "0 channels"),
        (header(rate=0) + b"ab", "0 Hz is outside 1000 to 768000 Hz"),
        (header(rate=4_000_000) + b"ab", "4000000 Hz is outside"),
    ],
    ids=["empty", "text", "cut", "order", "format", "silent", "channels", "rate0", "rate"],
)
def test_not_audio(tmp_path: Path, data: bytes, fact: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(AudioIOError) as caught:
        FileSource(path)
    assert fact in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(AudioIOError, match="No such file"):
        FileSource(tmp_path / "none.wav")
    with pytest.raises(AudioIOError, match="is not a file"):
        FileSource(tmp_path)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_wav_from_a_pipe(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(header(size=size) + b"\0\x40" * 500)
    source = FileSource(path)
    assert source.frames == 500
    assert source.notice is None
    np.testing.assert_array_equal(mono(path), 0.5)
    source.close()


def test_wav_cut_short_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(header(size=1000) + b"\0\x40" * 100 + b"\1")
    source = FileSource(path)
    source.close()
    assert source.frames == 100
    assert source.notice is not None
    assert "cut short" in source.notice


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_poison_names_its_sample(tmp_path: Path, poison: float) -> None:
    path = tmp_path / "a.wav"
    audio = np.zeros(20_000, np.float32)
    audio[12_345] = poison
    soundfile.write(path, audio, 16000, subtype="FLOAT")
    with pytest.raises(AudioIOError, match="sample 12345 is NaN or infinite"):
        mono(path)


def test_damaged_flac_is_never_a_traceback(tmp_path: Path, speech: np.ndarray) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, speech, 16000)
    whole = path.read_bytes()
    for keep in (10, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:keep] + bytes(len(whole) - keep))
        with suppress(AudioIOError):
            assert mono(path).shape[0] <= speech.shape[0]


def test_raw_stream_may_arrive_in_odd_pieces() -> None:
    values = np.arange(-500, 500, dtype="<i2")
    read, write = os.pipe()
    data = values.tobytes()
    for piece in (data[:1], data[1:4], data[4:], b"\7"):
        os.write(write, piece)
        if piece == data[:1]:
            continue
    os.close(write)
    blocks = list(RawSource(read, 16000).blocks())
    os.close(read)
    np.testing.assert_array_equal(np.concatenate(blocks) * 32768, values)


def test_file_appears_only_when_it_is_whole(tmp_path: Path, speech: np.ndarray) -> None:
    path = tmp_path / "a.wav"
    path.write_text("what was there")
    sink = FileSink(path, 16000)
    sink.write(speech)
    assert path.read_text() == "what was there"
    sink.finish()
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (1, 2, 16000, len(speech))
    np.testing.assert_allclose(mono(path), speech, atol=2e-5)
    sink.abort()
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


def test_abort_leaves_nothing(tmp_path: Path, speech: np.ndarray) -> None:
    for name in ("a.wav", "a.flac"):
        sink = FileSink(tmp_path / name, 16000)
        sink.write(speech)
        sink.abort()
    assert not list(tmp_path.iterdir())


def test_flac_out(tmp_path: Path, speech: np.ndarray) -> None:
    sink = FileSink(tmp_path / "a.flac", 16000)
    sink.write(speech)
    sink.finish()
    assert soundfile.info(tmp_path / "a.flac").format == "FLAC"
    np.testing.assert_allclose(mono(tmp_path / "a.flac"), speech, atol=2e-5)


@pytest.mark.parametrize("suffix", writable_suffixes())
def test_the_same_samples_are_the_same_file(
    tmp_path: Path, suffix: str, speech: np.ndarray
) -> None:
    """libsndfile draws a number for every Ogg file."""
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        sink = FileSink(path, 16000)
        sink.write(speech)
        sink.finish()
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert soundfile.read(paths[0])[0].shape == speech.shape


@pytest.mark.parametrize("subtype", ["OPUS", "VORBIS"])
def test_a_numbered_ogg_file_is_as_libogg_writes_it(speech: np.ndarray, subtype: str) -> None:
    content = io.BytesIO()
    soundfile.write(content, speech, 16000, subtype, format="OGG")
    drawn = content.getvalue()
    made = io.BytesIO(drawn)
    number_stream(made)
    assert made.getvalue() != drawn
    number_stream(made, int.from_bytes(drawn[14:18], "little"))
    assert made.getvalue() == drawn  # checksums and all


@pytest.mark.parametrize("data", [b"", b"OggS", b"RIFF" + bytes(60), b"OggS" + b"\xff" * 40])
def test_what_is_no_ogg_page_stays_as_it_is_or_is_whole(data: bytes) -> None:
    file = io.BytesIO(data)
    number_stream(file)
    assert len(file.getvalue()) == len(data)


def test_link_is_followed(tmp_path: Path, speech: np.ndarray) -> None:
    (tmp_path / "link.wav").symlink_to(tmp_path / "real.wav")
    sink = FileSink(tmp_path / "link.wav", 16000)
    sink.write(speech)
    sink.finish()
    assert (tmp_path / "link.wav").is_symlink()
    assert mono(tmp_path / "real.wav").shape == speech.shape


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("no/such/folder/a.wav", "does not exist"),
        ("a.mp5", "cannot write .mp5; use .wav"),
        ("plain", "cannot write a file without suffix"),
        (".", "is not a file"),
    ],
)
def test_places_that_will_not_do(tmp_path: Path, name: str, fact: str) -> None:
    with pytest.raises(AudioIOError) as caught:
        FileSink(tmp_path / name, 16000)
    assert fact in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_device_is_not_replaced() -> None:
    with pytest.raises(AudioIOError, match="is not a file; raw audio on stdout is -"):
        FileSink(Path("/dev/null"), 16000)


def test_full_disk_is_one_line() -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space"):
        RawSink(full).write(np.zeros(10, np.float32))


def test_sixteen_bits_clip_and_round_trip() -> None:
    values = np.arange(-32768, 32768, dtype=np.int32)
    np.testing.assert_array_equal(to_int16((values / 32768).astype(np.float32), "a"), values)
    np.testing.assert_array_equal(to_int16(np.float32([2, -2]), "a"), [32767, -32768])
    with pytest.raises(AudioIOError, match="a: the model produced NaN or infinity"):
        to_int16(np.float32([np.nan]), "a")


def test_raw_sink_flushes_every_block() -> None:
    stream = io.BufferedWriter(raw := io.BytesIO())  # type: ignore[type-var]
    sink = RawSink(stream)
    sink.write(np.float32([0.5, -0.5]))
    assert raw.getvalue() == struct.pack("<hh", 16384, -16384)


@pytest.mark.parametrize("suffix", writable_suffixes())
def test_a_writer_that_a_signal_interrupts_while_it_opens_says_nothing(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "unraisablehook", said.append)
    monkeypatch.setattr(wave.Wave_write, "setparams", interrupted)
    monkeypatch.setattr(soundfile.SoundFile, "_open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        FileSink(tmp_path / f"out{suffix}", 16_000)
    gc.collect()
    assert not said
    assert not list(tmp_path.iterdir())
