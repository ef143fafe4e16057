"""Where the teacher's training data comes from: a corpus or a pack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch

from edge_vc.augmentation.noise_bank import NoiseBank, read_folder
from edge_vc.command_line.notices import name_notices
from edge_vc.command_line.steps import Steps, stderr_console
from edge_vc.data.corpus import Corpus
from edge_vc.data.cut_recordings import cut_recordings
from edge_vc.data.development import Development
from edge_vc.data.pair_set import SAMPLE_RATE, PairSet
from edge_vc.training.student.phones import with_phones
from edge_vc.training.teacher.dataset import Pack

T = TypeVar("T")

_BABBLERS = 40
"""Speakers whose voices make up babble."""


def corpus_pack(
    corpus: Path, cache: Path, variants: int, workers: int = 1, *, phones: bool = False
) -> Pack:
    """Make or load the pairs of a corpus's targets and sources, and its ``noise`` and ``rir``.

    What `Development` holds out is marked as held out. ``phones``: listen to what is said as well,
    with the texts where the corpus has them.
    """
    from edge_vc.data.pairs import cached_pairs

    opened = Corpus.open(corpus)
    name_notices(utterance.path for utterance in opened)
    parts = Development.of(opened)

    def pairs(chosen: Corpus, copies: int) -> list[PairSet]:
        with Steps(stderr_console(), "recordings") as steps:
            recordings = cut_recordings(list(chosen), cache / "cut", SAMPLE_RATE)
            return cached_pairs(
                recordings, cache, variants=copies, workers=workers, progress=steps.track
            )

    found = pairs(parts.train.select("target"), variants)
    found += pairs(parts.train.select("source"), variants)
    if phones:
        texts = {utterance.utt_id: utterance.text for utterance in parts.train}
        with Steps(stderr_console(), "recordings") as steps:
            found = with_phones(found, texts, cache / "phones", workers, steps.track)
    found += [replace(pair, held_out=True) for pair in pairs(parts.held_out, 0)]
    say = Steps(stderr_console()).say
    noises, rooms = (read_folder(corpus / name, say) for name in ("noise", "rir"))
    return Pack(tuple(found), tuple(noises), tuple(rooms))


def noises_of(pack: Pack, target: str, device: torch.device) -> NoiseBank:
    """Return the pack's noises and rooms and those that are made, babble of its speakers too."""
    voices = [p.inputs[0] for p in pack.pairs if p.speaker != target and not p.held_out][:_BABBLERS]
    return NoiseBank.build(voices, pack.noises, pack.rooms, device)


def voices_of(pack: Pack, target: str) -> list[str]:
    """Return the speakers to train on, ``target`` first; `ValueError` where it is missing."""
    heard = {pair.speaker for pair in pack.pairs if not pair.held_out}
    if target not in heard:
        some = ", ".join(sorted(heard)[:5])
        raise ValueError(f"no speaker {target!r} to train as the target; speakers are {some}, ...")
    return [target, *sorted(heard - {target})]
