"""Files that any other tool converted: flat, or pairs in LLVC's dataset layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples, read_audio
from edge_vc.data.corpus import AUDIO_SUFFIXES, Utterance
from edge_vc.evaluate.requirements import EvaluationError
from edge_vc.evaluate.voices import RATE

SPLITS = ("", "train", "val", "dev")
"""Where files may lie: in the folder itself, or in the parts of LLVC's layout."""
ORIGINAL, CONVERTED = "_original", "_converted"
TOLERANCE_SECONDS = 0.25
"""Other tools round lengths to their frames; what is missing becomes silence."""
_SHOWN = 5


def open_folder(folder: Path) -> Callable[[Utterance, Samples], Samples]:
    """Return a converter that looks an utterance's file up.

    A file is called ``<speaker>_<utt_id>`` or ``<utt_id>``, ``_converted`` appended or not.
    Raises `EvaluationError` for pairs of which one half is missing.
    """
    files = _listed(folder)
    _check_pairs(folder, files)

    def convert(utterance: Utterance, samples: Samples) -> Samples:
        return _fitted(_file_for(folder, files, utterance), samples)

    return convert


def check_complete(folder: Path, utterances: Iterable[Utterance]) -> None:
    """Raise `EvaluationError` that lists the utterances which a folder has no file for."""
    files = _listed(folder)
    _check_pairs(folder, files)
    missing = [f"{u.speaker}_{u.utt_id}" for u in utterances if _found(files, u) is None]
    if missing:
        raise EvaluationError(
            f"{folder}: has no {_list(missing, '.wav')}; convert all sentences first"
        )


def _listed(folder: Path) -> Mapping[str, Path]:
    """Return the audio files by stem."""
    return {
        path.stem: path
        for split in reversed(SPLITS)
        for path in sorted((folder / split).glob("*"))
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    }


def _check_pairs(folder: Path, files: Mapping[str, Path]) -> None:
    """An original without its conversion, or the reverse, means that a run broke off."""
    halves = [stem for stem in files if stem.endswith(ORIGINAL)]
    if not halves:
        return
    names = {stem.removesuffix(ORIGINAL) for stem in halves}
    made = {stem.removesuffix(CONVERTED) for stem in files if stem.endswith(CONVERTED)}
    alone = [f"{n}{ORIGINAL}" for n in names - made] + [f"{n}{CONVERTED}" for n in made - names]
    if alone:
        raise EvaluationError(
            f"{folder}: {len(alone)} files without their other half: "
            f"{_list([files[stem].name for stem in sorted(alone)])}"
        )


def _found(files: Mapping[str, Path], utterance: Utterance) -> Path | None:
    names = (f"{utterance.speaker}_{utterance.utt_id}", utterance.utt_id)
    stems = (f"{name}{suffix}" for name in names for suffix in (CONVERTED, ""))
    return next((files[stem] for stem in stems if stem in files), None)


def _file_for(folder: Path, files: Mapping[str, Path], utterance: Utterance) -> Path:
    path = _found(files, utterance)
    if path is None:
        raise EvaluationError(
            f"{folder}: has no {utterance.utt_id}.wav; convert all sentences first"
        )
    return path


def _fitted(path: Path, samples: Samples) -> Samples:
    """Read a file and give it the length of what it was made of."""
    audio = read_audio(path, RATE)
    off = audio.size - samples.size
    if abs(off) > TOLERANCE_SECONDS * RATE:
        raise EvaluationError(
            f"{path}: lasts {audio.size / RATE:.2f} s, its source {samples.size / RATE:.2f} s; "
            f"convert without changing length (up to {TOLERANCE_SECONDS:g} s are made up for)"
        )
    return np.pad(audio, (0, max(0, -off)))[: samples.size]


def _list(names: Iterable[str], suffix: str = "") -> str:
    shown = [f"{name}{suffix}" for name in names]
    more = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
