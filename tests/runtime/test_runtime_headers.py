"""Headers as recorders, editors and pipes write them: both sides read the same samples."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.audio.io import AudioError, read_audio, seconds_of
from edge_vc.audio.stream import stream_audio
from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.file_source import FileSource, reading_notice
from edge_vc_runtime.audio.stdin_source import open_stdin

RATE = 16000
PCM = np.round(np.sin(np.arange(4001) * 0.07) * 12000).astype(np.int16)
SPEECH = PCM.astype(np.float32) / 32768
CLOSE = 2.0 / 32768


def chunk(name: bytes, body: bytes, size: int | None = None, pad: bool = True) -> bytes:
    length = len(body) if size is None else size
    return name + struct.pack("<I", length) + body + b"\0" * (pad and len(body) & 1)


def form(coding: int = 1, bits: int = 16, align: int = 2, channels: int = 1) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", coding, channels, RATE, RATE * align, align, bits))


def extensible(bits: int, container: int) -> bytes:
    align = container // 8
    body = struct.pack("<HHIIHH", 0xFFFE, 1, RATE, RATE * align, align, container)
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    return chunk(b"fmt ", body + struct.pack("<HHI", 22, bits, 4) + guid)


def riff(*chunks: bytes, size: int | None = None, name: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return name + struct.pack("<I", len(body) if size is None else size) + body


DATA = chunk(b"data", PCM.tobytes())
LIST = chunk(b"LIST", b"INFOISFT\x05\0\0\0Lavf5\0")
ODD = chunk(b"note", b"odd")
UNPADDED = chunk(b"note", b"odd", pad=False)
ID3 = b"ID3\x04\0\0" + bytes((0, 0, 1, 5)) + b"\0" * 133
ID3V1 = b"TAG" + b"title".ljust(125, b"\0")
WIDE = PCM.astype(np.int32)
S24 = (WIDE << 8).astype("<i4").tobytes()
PACKED = b"".join(S24[i : i + 3] for i in range(0, len(S24), 4))
DS64 = chunk(b"ds64", struct.pack("<QQQI", 0, PCM.nbytes, PCM.size, 0))
BEXT = chunk(b"bext", b"\0" * 602)
OPEN = [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]

FILES: dict[str, bytes] = {
    "plain": riff(form(), DATA),
    "PCM_U8": riff(form(1, 8, 1), chunk(b"data", ((PCM >> 8) + 128).astype(np.uint8).tobytes())),
    "PCM_24": riff(form(1, 24, 3), chunk(b"data", PACKED)),
    "PCM_32": riff(form(1, 32, 4), chunk(b"data", (WIDE << 16).tobytes())),
    "S24_LE of arecord": riff(form(1, 24, 4), chunk(b"data", S24)),
    "negative S24_LE without sign": riff(
        form(1, 24, 4), chunk(b"data", ((WIDE << 8) & 0xFFFFFF).astype("<u4").tobytes())
    ),
    "20 bits in 24": riff(form(1, 20, 3), chunk(b"data", PACKED)),
    "FLOAT": riff(form(3, 32, 4), chunk(b"data", SPEECH.tobytes())),
    "DOUBLE": riff(form(3, 64, 8), chunk(b"data", SPEECH.astype(np.float64).tobytes())),
    "extensible 16": riff(extensible(16, 16), DATA),
    "extensible 24 in 32": riff(extensible(24, 32), chunk(b"data", (WIDE << 16).tobytes())),
    "BWF": riff(BEXT, form(), DATA),
    "RF64": riff(DS64, form(), chunk(b"data", PCM.tobytes(), 0xFFFFFFFF), size=0xFFFFFFFF,
                 name=b"RF64"),
    "BW64": riff(DS64, form(), chunk(b"data", PCM.tobytes(), 0xFFFFFFFF), size=0xFFFFFFFF,
                 name=b"BW64"),
    "chunks before": riff(LIST, ODD, form(), chunk(b"fact", b"\0\0\0\0"), DATA),
    "chunks behind": riff(form(), DATA, LIST, chunk(b"id3 ", ID3)),
    "odd chunk without padding": riff(form(), UNPADDED, DATA),
    "odd data": riff(form(1, 8, 1), chunk(b"data", ((PCM >> 8) + 128).astype(np.uint8).tobytes()),
                     LIST),
    "ID3 in front": ID3 + riff(form(), DATA),
    "ID3 behind": riff(form(), DATA) + ID3V1,
    "zero-length data, then metadata, then data": riff(form(), chunk(b"data", b""), LIST, DATA),
    **{f"sizes {n:#x}": riff(form(), chunk(b"data", PCM.tobytes(), n), size=n) for n in OPEN},
    **{f"data {n:#x}": riff(form(), chunk(b"data", PCM.tobytes(), n)) for n in OPEN[1:]},
    "unfinished": riff(form(), chunk(b"data", PCM.tobytes(), 0), size=36),
}  # fmt: skip
COARSE = ("PCM_U8", "odd data")


def on_board(path: Path) -> tuple[np.ndarray, str | None]:
    """Return what the board's reader gives, and its notice."""
    with closing(FileSource(path)) as source:
        return np.concatenate(list(source.blocks())), source.notice


def allowed(name: str) -> float:
    return 1 / 100 if name in COARSE else CLOSE


@pytest.mark.parametrize("name", FILES)
def test_both_readers_agree(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(FILES[name])
    board, notice = on_board(path)
    assert board.shape == SPEECH.shape
    assert np.abs(board - SPEECH).max() < allowed(name)
    assert notice is None
    assert np.array_equal(read_audio(path, RATE), board)
    assert np.array_equal(np.concatenate(list(stream_audio(path, RATE))), board)
    assert seconds_of(path) == pytest.approx(SPEECH.size / RATE)


WHOLE = riff(form(), DATA)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_caf_of_open_length_is_read_to_its_end(tmp_path: Path, channels: int) -> None:
    """As ffmpeg writes one to a pipe; libsndfile alone takes it for malformed."""
    path = tmp_path / "a.caf"
    audio = np.stack([SPEECH, 0.5 * SPEECH][:channels], axis=1)
    soundfile.write(path, audio, RATE, subtype="PCM_16")
    closed = on_board(path)[0]
    data = path.read_bytes()
    start = data.index(b"data") + 4
    path.write_bytes(data[:start] + b"\xff" * 8 + data[start + 8 :])
    board, notice = on_board(path)
    assert np.array_equal(board, closed)
    assert np.array_equal(read_audio(path, RATE), board)
    assert seconds_of(path) == pytest.approx(SPEECH.size / RATE)
    assert notice is None
    for end in range(0, start + 20, 7):
        path.write_bytes(data[:end])
        with pytest.raises(AudioError):
            read_audio(path, RATE)


SEVERAL = {
    "a second part": riff(form(), DATA, DATA),
    "a second part behind a list": riff(form(), DATA, LIST, DATA),
    "two files": WHOLE + WHOLE,
    "two files, of which the first has an odd end": FILES["odd data"] + WHOLE,
    "RF64 behind RIFF": WHOLE + FILES["RF64"],
}
MORE = "more samples lie behind the first ones, which alone are read"


@pytest.mark.parametrize("name", SEVERAL)
def test_several_recordings_in_one_file_are_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(SEVERAL[name])
    board, notice = on_board(path)
    assert board.shape == SPEECH.shape
    assert notice is not None
    assert f"{path}: {MORE}" in notice
    assert reading_notice(path) == notice
    assert np.array_equal(read_audio(path, RATE), board)


@pytest.mark.parametrize("name", FILES)
def test_of_one_recording_nothing_is_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(FILES[name])
    assert reading_notice(path) is None


def piped(data: bytes, act: Callable[[int], np.ndarray], piece: int = 1000) -> np.ndarray:
    reading, writing = os.pipe()

    def write() -> None:
        with suppress(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as file:
            for at in range(0, len(data), piece):
                file.write(data[at : at + piece])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return act(reading)
    finally:
        os.close(reading)
        thread.join()


def through(descriptor: int) -> np.ndarray:
    return np.concatenate(list(open_stdin(descriptor, RATE).blocks()))


@pytest.mark.parametrize("name", ["a second part", "two files"])
def test_several_recordings_in_a_pipe_are_said(name: str) -> None:
    told = []

    def act(descriptor: int) -> np.ndarray:
        source = open_stdin(descriptor, RATE)
        samples = np.concatenate(list(source.blocks()))
        told.append(source.notice)
        return samples

    assert piped(SEVERAL[name], act, 1 << 16).shape == SPEECH.shape
    assert MORE in told[0]


def test_who_keeps_a_pipe_open_behind_the_samples_is_not_waited_for() -> None:
    reading, writing = os.pipe()
    os.write(writing, WHOLE)
    assert through(reading).shape == SPEECH.shape
    os.close(reading)
    os.close(writing)


FROM_A_PIPE = [name for name in FILES if name != "ID3 in front"]
PIECES = [(name, piece) for name in FROM_A_PIPE for piece in (7, 4096)]
PIECES += [(name, 1) for name in ("plain", "sizes 0xffffffff", "chunks before")]


@pytest.mark.parametrize(("name", "piece"), PIECES)
def test_a_pipe_gives_what_the_file_gives(name: str, piece: int) -> None:
    samples = piped(FILES[name], through, piece)
    assert samples.shape == SPEECH.shape
    assert np.abs(samples - SPEECH).max() < allowed(name)


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "AIFF", "CAF", "AU", "W64", "MP3"])
def test_other_containers_on_stdin_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    soundfile.write(tmp_path / "a", SPEECH, RATE, format=kind)
    with pytest.raises(AudioIOError, match=r"stdin holds an? .*ffmpeg -i - -f wav -"):
        piped((tmp_path / "a").read_bytes(), through)


BEGINNINGS = {
    "M4A": b"\0\0\0\x20ftypM4A ", "AAC": b"\xff\xf1\x50\x80", "MP2": b"\xff\xfd\xa4\0",
    "old ID3": b"ID3\x02", "AVI": b"RIFF\0\1\0\0AVI LIST", "AMR": b"#!AMR-WB\n",
    "WMA": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "gzip": b"\x1f\x8b\x08", "zip": b"PK\x03\x04",
    "SPHERE": b"NIST_1A\n   1024\n", "AC-3": b"\x0b\x77", "Matroska": b"\x1aE\xdf\xa3",
    "text": b"<!DOCTYPE html><html>", "JSON": b'{"error": "not found"}',
}  # fmt: skip


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_what_libsndfile_does_not_write_is_refused_by_name_as_well(kind: str) -> None:
    with pytest.raises(AudioIOError, match=r"stdin holds .*ffmpeg -i - -f wav -"):
        piped(BEGINNINGS[kind] + bytes(20), through)


@pytest.mark.parametrize("coding", ["ULAW", "IMA_ADPCM"])
def test_a_coded_wav_is_read_from_a_file_and_explained_on_a_pipe(
    tmp_path: Path, coding: str
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, SPEECH, RATE, subtype=coding)
    assert np.array_equal(on_board(path)[0], read_audio(path, RATE))
    with pytest.raises(AudioIOError, match=r"stdin: WAV coding 0x.*ffmpeg -i - -f wav -"):
        piped(path.read_bytes(), through)


@pytest.mark.parametrize("rate", [0, 7, 999, 768_001, 0xFFFFFFFF])
def test_a_rate_that_no_recorder_has_is_refused_by_every_reader(tmp_path: Path, rate: int) -> None:
    """Four thousand samples at 7 Hz would be ten minutes of audio."""
    path = tmp_path / "a.wav"
    path.write_bytes(FILES["plain"].replace(struct.pack("<I", RATE), struct.pack("<I", rate), 1))
    for read in (
        lambda: FileSource(path),
        lambda: read_audio(path, RATE),
        lambda: list(stream_audio(path, RATE)),
        lambda: piped(path.read_bytes(), through),
    ):
        with pytest.raises((AudioIOError, AudioError), match=f"{rate} Hz is outside 1000"):
            read()


def test_raw_stays_raw() -> None:
    assert np.array_equal(piped(PCM.tobytes(), through), SPEECH)
    forced = piped(
        FILES["plain"],
        lambda fd: np.concatenate(list(open_stdin(fd, RATE, raw=True).blocks())),
    )
    assert forced.size == SPEECH.size + 22
    assert piped(b"\1\0", through).size == 1


@pytest.mark.parametrize("channels", [2, 6])
def test_cancelling_channels_are_noticed(tmp_path: Path, channels: int) -> None:
    signs = np.resize([1.0, -0.9], channels).astype(np.float32)
    path = tmp_path / "a.wav"
    soundfile.write(path, SPEECH[:, None] * signs, RATE, subtype="FLOAT")
    board, notice = on_board(path)
    assert notice is not None
    assert "channel 1, the loudest, is taken" in notice
    for samples in (
        board,
        read_audio(path, RATE),
        np.concatenate(list(stream_audio(path, RATE))),
        piped(path.read_bytes(), through),
    ):
        assert np.abs(samples - SPEECH).max() < CLOSE


def test_one_silent_or_independent_channel_cancels_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (SPEECH.size, 2)).astype(np.float32)
    silent = np.stack([SPEECH, np.zeros_like(SPEECH)], axis=1)
    for channels in (noise, silent):
        path = tmp_path / "a.wav"
        soundfile.write(path, channels, RATE, subtype="FLOAT")
        assert on_board(path)[1] is None
        assert np.allclose(read_audio(path, RATE), channels.mean(axis=1), atol=1e-6)


def flac_of_unknown_length(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "whole.flac", PCM, RATE)
    data = bytearray((tmp_path / "whole.flac").read_bytes())
    data[21] &= 0xF0  # STREAMINFO: 36 bits of total samples
    data[22:26] = b"\0\0\0\0"
    path = tmp_path / "pipe.flac"
    path.write_bytes(bytes(data))
    return path


def test_flac_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = flac_of_unknown_length(tmp_path)
    assert np.array_equal(on_board(path)[0], SPEECH)
    assert np.array_equal(read_audio(path, RATE), SPEECH)
    assert np.array_equal(np.concatenate(list(stream_audio(path, RATE))), SPEECH)
    assert seconds_of(path) == pytest.approx(SPEECH.size / RATE)


@pytest.mark.parametrize("front", [b"", ID3])
@pytest.mark.parametrize("behind", [b"", ID3V1])
def test_flac_with_tags_at_either_end(tmp_path: Path, front: bytes, behind: bytes) -> None:
    soundfile.write(tmp_path / "whole.flac", PCM, RATE)
    path = tmp_path / "tagged.flac"
    path.write_bytes(front + (tmp_path / "whole.flac").read_bytes() + behind)
    assert np.array_equal(on_board(path)[0], SPEECH)
    assert np.array_equal(read_audio(path, RATE), SPEECH)


def test_an_empty_recording_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(riff(form(), chunk(b"data", b""), LIST))
    with pytest.raises(AudioIOError, match="holds no samples"):
        FileSource(path)
    with pytest.raises(AudioError, match="holds no samples"):
        read_audio(path, RATE)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_any_name_that_a_disk_can_hold(tmp_path: Path, suffix: str) -> None:
    name = os.fsdecode(b"Gr\xf6\xdfe") + suffix
    soundfile.write(os.fsencode(tmp_path / name), PCM, RATE)
    assert np.array_equal(on_board(tmp_path / name)[0], SPEECH)
    assert np.array_equal(read_audio(tmp_path / name, RATE), SPEECH)
