"""One set of rules for every reader of folders: links, loops, suffixes, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edge_vc.audio.io import AudioError, read_audio, seconds_of
from edge_vc.audio.scan import READABLE, SUFFIXES, scan_audio
from edge_vc.audio.stream import AudioFile
from edge_vc.augmentation.augment import Surroundings
from edge_vc.augmentation.noise_bank import RATE, read_folder
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.systems.converted_folder import ConvertedFiles
from edge_vc.prepare.sources import find_sources
from edge_vc.teachers.pairs_folder import PairsFolder

Reader = Callable[[Path], list[int]]
"""Returns the lengths in samples of what it reads: every file of these tests has another."""


def frames(paths: object) -> list[int]:
    return sorted(soundfile.info(path).frames for path in paths)  # type: ignore[attr-defined]


DEEP: dict[str, Reader] = {
    "corpus": lambda folder: frames(utterance.path for utterance in Corpus.open(folder)),
    "prepare": lambda folder: frames(source.utterance.path for source in find_sources(folder)[0]),
    "augmentation": lambda folder: frames(Surroundings.open(folder, None).noises),
    "training noise": lambda folder: sorted(len(noise) for noise in read_folder(folder)),
}
SHALLOW: dict[str, Reader] = {
    "pairs": lambda folder: frames(pair.original for pair in PairsFolder.open(folder).pairs),
    "converted": lambda folder: frames(
        path for stem, path in ConvertedFiles(folder)._files.items() if stem.endswith("_original")
    ),
}
every = pytest.mark.parametrize("read", [*DEEP.values(), *SHALLOW.values()], ids=[*DEEP, *SHALLOW])
deep = pytest.mark.parametrize("read", DEEP.values(), ids=DEEP)
shallow = pytest.mark.parametrize("read", SHALLOW.values(), ids=SHALLOW)


def write(path: Path, length: int) -> Path:
    """Write a recording; for readers of pairs, its other half too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    form = path.suffix.removeprefix(".").upper()
    soundfile.write(path, np.full(length, 0.1, np.float32), RATE, format=form)
    return path


def pair(path: Path, length: int, read: Reader) -> Path:
    """Write ``path``, or the pair of that name where ``read`` wants pairs."""
    if read not in SHALLOW.values():
        return write(path, length)
    write(path.with_stem(f"{path.stem}_converted"), length)
    return write(path.with_stem(f"{path.stem}_original"), length)


@every
def test_suffixes_count_in_any_case(tmp_path: Path, read: Reader) -> None:
    for number, name in enumerate(("a.wav", "b.WAV", "c.Flac", "d.ogg")):
        pair(tmp_path / name, 1600 + 160 * number, read)
    (tmp_path / "notes.txt").write_text("no audio")
    assert read(tmp_path) == [1600, 1760, 1920, 2080]


@every
@pytest.mark.parametrize("name", ["._a.wav", ".a.wav", "a.wav", "a.m4a"])
def test_what_is_no_recording_is_left_out(tmp_path: Path, read: Reader, name: str) -> None:
    pair(tmp_path / "good.wav", 1600, read)
    content = b"" if name == "a.wav" else b"\0\5\x16\7 AppleDouble"
    halves = ("_original", "_converted") if read in SHALLOW.values() else ("",)
    for half in halves:
        path = tmp_path / name
        path.with_stem(f"{path.stem}{half}").write_bytes(content)
    assert read(tmp_path) == [1600]


@deep
def test_a_linked_folder_is_followed_once_and_loops_end(tmp_path: Path, read: Reader) -> None:
    root = tmp_path / "root"
    write(root / "here.wav", 1600)
    write(root / "zoo" / "real.wav", 1760)
    write(tmp_path / "away" / "linked.wav", 1920)
    write(tmp_path / "away" / "deeper" / "linked.wav", 2080)
    for name, target in {
        "again": root / "zoo",
        "loop": root,
        "one": tmp_path / "away",
        "two": tmp_path / "away",
        "gone": tmp_path / "nowhere",
    }.items():
        os.symlink(target, root / name)
    os.symlink(tmp_path / "away", tmp_path / "away" / "deeper" / "up")
    assert read(root) == [1600, 1760, 1920, 2080]


@deep
def test_hidden_folders_are_not_looked_at(tmp_path: Path, read: Reader) -> None:
    write(tmp_path / "good.wav", 1600)
    write(tmp_path / ".Trashes" / "old.wav", 1760)
    assert read(tmp_path) == [1600]


@shallow
def test_a_linked_part_of_a_folder_of_pairs_counts_once(tmp_path: Path, read: Reader) -> None:
    pair(tmp_path / "away" / "a.wav", 1600, read)
    pair(tmp_path / "pairs" / "b.wav", 1760, read)
    os.symlink(tmp_path / "away", tmp_path / "pairs" / "train")
    os.symlink(tmp_path / "away", tmp_path / "pairs" / "val")
    os.symlink(tmp_path / "pairs", tmp_path / "pairs" / "dev")
    assert read(tmp_path / "pairs") == [1600, 1760]


def test_real_folders_are_named_before_links_to_them(tmp_path: Path) -> None:
    real = write(tmp_path / "zoo" / "real.wav", 1600)
    os.symlink(tmp_path / "zoo", tmp_path / "a-link")
    assert scan_audio(tmp_path).files == (real,)


def test_what_is_left_out_has_a_reason(tmp_path: Path) -> None:
    for name in ("._a.wav", ".b.wav", "d.M4A"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "c.wav").touch()
    os.mkfifo(tmp_path / "pipe.wav")
    os.symlink("nowhere", tmp_path / "gone.flac")
    os.symlink("/dev/zero", tmp_path / "zero.wav")
    found = scan_audio(tmp_path)
    assert not found.files
    assert {item.path.name: item.reason for item in found.left_out} == {
        "._a.wav": "AppleDouble",
        ".b.wav": "hidden",
        "c.wav": "empty",
        "d.M4A": "unreadable",
        "pipe.wav": "no file",
        "gone.flac": "no file",
        "zero.wav": "no file",
    }


def test_a_folder_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, theirs = write(tmp_path / "good.wav", 1600), tmp_path / "theirs"
    write(theirs / "a.wav", 1600)
    entries = Path.iterdir

    def refused(path: Path) -> Iterator[Path]:
        if path == theirs:
            raise PermissionError(13, "Permission denied", str(path))
        return entries(path)

    monkeypatch.setattr(Path, "iterdir", refused)
    found = scan_audio(tmp_path)
    assert found.files == (good,)
    assert [item.notice for item in found.left_out] == [
        f"left out: {theirs}: a folder that cannot be opened"
    ]


@pytest.mark.parametrize("name", ["corpus", "augmentation"])
def test_nothing_to_read_names_the_formats_and_what_was_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.wav").touch()
    with pytest.raises(ValueError, match="holds no recordings") as caught:
        DEEP[name](tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: holds no recordings (.aif .aifc")
    assert str(caught.value).endswith(".wave); left out: empty.wav (empty)")


def test_a_corpus_names_what_it_leaves_out(tmp_path: Path) -> None:
    write(tmp_path / "good.wav", 1600)
    (tmp_path / "empty.wav").touch()
    assert [item.path.name for item in Corpus.open(tmp_path).left_out] == ["empty.wav"]
    (drop,) = find_sources(tmp_path)[1]
    assert (drop.source, drop.reason, drop.detail) == ("empty.wav", "empty", "0 bytes")


def test_a_noise_folder_names_what_it_leaves_out(tmp_path: Path) -> None:
    write(tmp_path / "good.wav", 1600)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "empty.wav").touch()
    said: list[str] = []
    assert [len(noise) for noise in read_folder(tmp_path, said.append)] == [1600]
    assert said == [f"left out: {tmp_path}/deep/empty.wav: 0 bytes"]
    assert read_folder(tmp_path / "none", said.append) == []


@pytest.mark.parametrize("read", [lambda path: read_audio(path, RATE), seconds_of, AudioFile])
def test_an_unreadable_file_names_every_format(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    (tmp_path / "a.wav").write_text("no audio")
    with pytest.raises(AudioError, match="not readable as audio") as caught:
        read(tmp_path / "a.wav")
    assert str(caught.value).endswith(f"; give one of {READABLE}")


def test_every_suffix_is_a_format_of_libsndfile() -> None:
    known = {f".{name.lower()}" for name in soundfile.available_formats()}
    other = {".aif", ".aifc", ".oga", ".opus", ".wave"}  # other names of formats that it has
    assert known >= SUFFIXES - other
