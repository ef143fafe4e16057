"""The recordings of one voice: found in a folder, levelled, pitch-tracked and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_vc.command_line.notices import name_notices
from edge_vc.data.corpus import Corpus
from edge_vc.data.corpus_table import METADATA
from edge_vc.data.cut_recordings import cut_recordings
from edge_vc.data.pair_set import HOP, SAMPLE_RATE, PairSet
from edge_vc.data.pairs import load_pairs, pair_files
from edge_vc.settings.field import RecipeError
from edge_vc.training.voice.fitness import (
    Unfit,
    name_unfit,
    suspected_music,
    too_little,
    unfit,
)
from edge_vc.training.voice.pieces import stored_pieces
from edge_vc.training.voice.speakers import two_voices
from edge_vc.workers.progress import Progress, no_progress

FEWEST_SECONDS = 60.0
"""Least speech to train a voice on; with less, both intelligibility and similarity fail."""
PITCH_SPREAD = 0.3
"""Standard deviation of the recordings' median log F0 above which two voices are suspected."""
_FRAMES_PER_SECOND = SAMPLE_RATE // HOP


@dataclass(frozen=True)
class VoiceRecordings:
    """The recordings that a voice is trained on."""

    files: tuple[Path, ...]
    """Files for `load_pairs`; held-out ones come last."""
    pairs: tuple[PairSet, ...]

    @property
    def seconds(self) -> float:
        """Duration of the training recordings."""
        return sum(len(p.f0) for p in self.pairs if not p.held_out) / _FRAMES_PER_SECOND


def read_recordings(
    target: Path,
    cache: Path,
    held_out: int,
    *,
    workers: int = 1,
    progress: Progress = no_progress,
    say: Callable[[str], None] = lambda line: None,
) -> VoiceRecordings:
    """Read every recording under the folder ``target``; processed recordings are kept in ``cache``.

    Long ones are cut at pauses. ``held_out`` of them, at most a tenth, are marked as held out,
    chosen by the hash of their names. ``say`` receives a line for every recording that is left out
    and for signs of a second voice. Raises `CorpusError` for a folder without recordings,
    `RecipeError` if they contain too little speech.
    """
    corpus = Corpus.open(target)
    speakers = corpus.speakers
    if (corpus.root / METADATA).is_file() and len(speakers) > 1:
        raise RecipeError(
            f"{target}: recordings of {len(speakers)} speakers ({', '.join(speakers[:3])}, ...); "
            "expected one: give a folder with one speaker's recordings"
        )
    for notice in corpus.left_out:
        say(notice.notice)
    name_notices((utterance.path for utterance in corpus), say)
    recordings = cut_recordings(list(corpus), cache / "cut", SAMPLE_RATE)
    paths = pair_files(recordings, cache, workers=workers, progress=progress)
    found: list[tuple[Path, PairSet]] = []
    left_out: list[tuple[Path, Unfit]] = []
    for utterance, path in zip(recordings, paths, strict=True):
        pair = load_pairs(path)
        reason = unfit(pair)
        if reason is not None:
            left_out.append((utterance.path, reason))
        else:
            found += [item for item in stored_pieces(pair, path) if unfit(item[1]) is None]
    name_unfit(left_out, say)
    _check([pair for _, pair in found], [reason for _, reason in left_out], target, say)
    found.sort(key=lambda item: hashlib.sha256(item[1].name.encode()).hexdigest())
    count = min(held_out, len(found) // 10)
    kept, held = found[: len(found) - count], found[len(found) - count :]
    return VoiceRecordings(
        tuple(path for path, _ in (*kept, *held)),
        (*(pair for _, pair in kept), *(replace(pair, held_out=True) for _, pair in held)),
    )


def _check(
    pairs: Sequence[PairSet], left_out: Sequence[Unfit], target: Path, say: Callable[[str], None]
) -> None:
    seconds = sum(len(pair.f0) for pair in pairs) / _FRAMES_PER_SECOND
    if seconds < FEWEST_SECONDS:
        raise RecipeError(f"{target}: {too_little(seconds, left_out, FEWEST_SECONDS)}")
    if music := suspected_music(pairs):
        say(f"warning: {target}: {music}")
    medians = np.array([np.median(np.log(pair.f0[pair.f0 > 0])) for pair in pairs])
    if len(medians) > 2 and medians.std() > PITCH_SPREAD:
        low, high = np.exp(np.percentile(medians, (10, 90)))
        say(
            f"warning: {target}: pitch from {low:.0f} to {high:.0f} Hz between recordings; if that "
            "is more than one voice, keep one voice in a folder"
        )
        return
    found = two_voices(pairs)
    if found:
        say(
            f"warning: {target}: {found[0]} and {found[1]} sound like two speakers; listen, and "
            "keep one voice in a folder"
        )
