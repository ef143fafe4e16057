"""Files converted by another tool: flat, or pairs in LLVC's dataset layout."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples, read_beginning, seconds_of
from edge_vc.audio.scan import scan_audio
from edge_vc.data.file_name import file_name
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.systems.open_system import RATE
from edge_vc.settings.optional import EvaluationError
from edge_vc_runtime.audio.file_source import reading_notice

SPLITS = ("", "train", "val", "dev")
"""Locations of files: the folder itself, or the splits of LLVC's layout."""
ORIGINAL, CONVERTED = "_original", "_converted"
TOLERANCE_SECONDS = 0.25
"""Other tools round lengths to their frames; missing samples become silence."""
_MOST = 121.0  # seconds of an original: longer ones are not evaluated
_SHOWN = 5


def open_folder(folder: Path) -> Callable[[Utterance, Samples], Samples]:
    """Return a converter that looks an utterance's file up; see `ConvertedFiles`."""
    files = ConvertedFiles(folder)

    def convert(utterance: Utterance, samples: Samples) -> Samples:
        return _fitted(files.of(utterance), samples)

    return convert


def notices_of(folder: Path) -> list[str]:
    """Return a line for each converted file that cannot be read or not exactly as stored.

    These look like audio but are not, or have channels that cancel each other.
    """
    found = [scan_audio(folder, [split]) for split in SPLITS]
    read = (reading_notice(path) for scan in found for path in scan.files)
    return [item.notice for scan in found for item in scan.left_out] + [n for n in read if n]


class ConvertedFiles:
    """The files of a folder, found by name, or pairs found by the samples of their originals.

    A file is called ``<speaker>_<utt_id>`` or ``<utt_id>``, optionally with ``_converted``
    appended. Raises `EvaluationError` for incomplete pairs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = self._by_stem()
        self._pairs = self._checked_pairs()

    def of(self, utterance: Utterance) -> Path:
        """Return the conversion of an utterance; raises `EvaluationError` without one."""
        path = self._find(utterance)
        if path is None:
            raise EvaluationError(
                f"{self.folder}: has no {utterance.utt_id}.wav; convert all sentences first"
            )
        return path

    def check_complete(self, utterances: Iterable[Utterance]) -> None:
        """Raise `EvaluationError` for utterances without a conversion, or with one for two."""
        converted: dict[Path, Utterance] = {}
        missing = []
        for utterance in utterances:
            path = self._find(utterance)
            if path is None:
                missing.append(f"{utterance.speaker}_{utterance.utt_id}.wav")
            elif converted.setdefault(path, utterance) != utterance:
                first, suffix = converted[path], path.suffix
                raise EvaluationError(
                    f"{path}: is the conversion of two utterances; name them "
                    f"{first.speaker}_{first.utt_id}{suffix} and "
                    f"{utterance.speaker}_{utterance.utt_id}{suffix}"
                )
        if missing:
            raise EvaluationError(
                f"{self.folder}: has no {_list(missing)}; convert all sentences first"
            )

    def _by_stem(self) -> dict[str, Path]:
        """Return the files by name; raises `EvaluationError` if two have the same one.

        Names are normalised like those of utterances.
        """
        files: dict[str, Path] = {}
        for split in SPLITS:
            for path in scan_audio(self.folder, [split]).files:
                taken = files.setdefault(file_name(path.stem), path)
                if not taken.samefile(path):  # a file may appear twice through a linked folder
                    both = " and ".join(str(p.relative_to(self.folder)) for p in (taken, path))
                    raise EvaluationError(f"{self.folder}: holds {both}; remove one of them")
        return files

    def _find(self, utterance: Utterance) -> Path | None:
        names = (f"{utterance.speaker}_{utterance.utt_id}", utterance.utt_id)
        stems = (f"{name}{suffix}" for name in names for suffix in (CONVERTED, ""))
        named = next((self._files[stem] for stem in stems if stem in self._files), None)
        if named is None and self._pairs:
            return self._by_sound.get(_digest(utterance.read(RATE)))
        return named

    def _checked_pairs(self) -> dict[str, str]:
        """Return originals and their conversions by stem.

        One without the other indicates an interrupted run.
        """
        originals = {s.removesuffix(ORIGINAL) for s in self._files if s.endswith(ORIGINAL)}
        made = {s.removesuffix(CONVERTED) for s in self._files if s.endswith(CONVERTED)}
        alone = [f"{name}{ORIGINAL}" for name in originals - made]
        alone += [f"{name}{CONVERTED}" for name in made - originals] if originals else []
        if alone:
            raise EvaluationError(
                f"{self.folder}: {len(alone)} files without their other half: "
                f"{_list([self._files[stem].name for stem in sorted(alone)])}"
            )
        return {f"{name}{ORIGINAL}": f"{name}{CONVERTED}" for name in sorted(originals)}

    @cached_property
    def _by_sound(self) -> dict[bytes, Path]:
        """Conversions by the samples of their originals."""
        return {
            _digest(read_beginning(self._files[original], RATE, _MOST)): self._files[conversion]
            for original, conversion in self._pairs.items()
        }


def _digest(samples: Samples) -> bytes:
    """Return a hash of a recording's 16-bit samples, which any lossless copy preserves."""
    pcm = np.round(np.clip(samples, -1.0, 1.0) * 32768).astype(np.int32)
    return hashlib.sha256(pcm.tobytes()).digest()


def _fitted(path: Path, samples: Samples) -> Samples:
    """Read a file and adjust it to the length of its source."""
    seconds = samples.size / RATE + 2 * TOLERANCE_SECONDS
    audio = read_beginning(path, RATE, seconds)
    off = audio.size - samples.size
    if abs(off) > TOLERANCE_SECONDS * RATE:
        raise EvaluationError(
            f"{path}: lasts {seconds_of(path):.2f} s, its source {samples.size / RATE:.2f} s; "
            f"convert without changing length (up to {TOLERANCE_SECONDS:g} s are corrected)"
        )
    return np.pad(audio, (0, max(0, -off)))[: samples.size]


def _list(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
