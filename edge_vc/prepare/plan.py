"""Plan of a run: which recordings to prepare, their side of the split and their names."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc.data.file_name import file_name, short_hash
from edge_vc.prepare.evaluation import check_evaluation
from edge_vc.prepare.settings import PrepareError, PrepareSettings
from edge_vc.prepare.sources import Drop, Source, find_sources
from edge_vc.prepare.split import TRAIN, split_speakers
from edge_vc.prepare.task import PrepareTask


@dataclass(frozen=True)
class PreparePlan:
    """What a run will do."""

    tasks: tuple[PrepareTask, ...]
    drops: tuple[Drop, ...]
    """Recordings that cannot be opened."""
    sides: Mapping[str, str]
    """`TRAIN` or `VALIDATION` by speaker."""

    @property
    def seconds(self) -> float:
        """Duration of all recordings that can be opened."""
        return sum(task.utterance.seconds for task in self.tasks)


def make_plan(folder: Path, settings: PrepareSettings, earlier: Mapping[str, str]) -> PreparePlan:
    """Scan ``folder`` and plan a run; speakers in ``earlier`` keep their side of the split.

    Raises `PrepareError` if it holds no recordings.
    """
    sources, drops = find_sources(folder)
    sources = _with_target(sources, settings.target)
    speakers = sorted({source.utterance.speaker for source in sources})
    targets = {s.utterance.speaker for s in sources if s.utterance.role.startswith("target")}
    sides = split_speakers(speakers, settings.validation, settings.seed, earlier, targets)
    if settings.evaluation:
        check_evaluation(speakers, sorted(targets))
    stems = _stems(sources)
    tasks = [
        _task(source, sides[source.utterance.speaker], stem, settings)
        for source, stem in zip(sources, stems, strict=True)
    ]
    return PreparePlan(tuple(tasks), tuple(drops), sides)


def _with_target(sources: list[Source], target: str) -> list[Source]:
    """Give a speaker's recordings the role ``target``; raises `PrepareError` for an unknown one."""
    if not target:
        return sources
    if target not in (known := sorted({source.utterance.speaker for source in sources})):
        shown = ", ".join(known[:20])
        raise PrepareError(f"--target {target}: no such speaker; speakers are {shown}")
    return [
        replace(source, utterance=replace(source.utterance, role="target"))
        if source.utterance.speaker == target
        else source
        for source in sources
    ]


def _task(source: Source, side: str, stem: str, settings: PrepareSettings) -> PrepareTask:
    varied = settings.variants > 0 and side == TRAIN and source.utterance.role == "source"
    path = f"{side}/{stem}"
    state = source.utterance.path.stat()
    facts = [settings.key(), source.name, path, varied, state.st_size, state.st_mtime_ns]
    # The pieces depend on whether there is a text, not on which.
    facts.append(bool(source.utterance.text))
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:24]
    return PrepareTask(source.utterance, source.name, path, varied, key)


def _stems(sources: list[Source]) -> list[str]:
    """Return ``speaker/name`` for each; a short hash of the source distinguishes duplicates."""
    plain = [
        f"{file_name(source.utterance.speaker or 'unknown')}/{file_name(source.utterance.utt_id)}"
        for source in sources
    ]
    # Case-insensitive file systems exist.
    count = Counter(stem.casefold() for stem in plain)
    return [
        stem if count[stem.casefold()] == 1 else f"{stem}-{short_hash(source.name)}"
        for stem, source in zip(plain, sources, strict=True)
    ]
