"""Training data of a student from scratch: a corpus at several speeds, labelled by the teacher."""

from __future__ import annotations

from pathlib import Path

from edge_vc.command_line.notices import name_notices
from edge_vc.data.corpus import Corpus
from edge_vc.labelling.job import label_here
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.teachers.network_file import DefaultSpec
from edge_vc.workers.progress import Progress, no_progress

SOURCE_SPEEDS = ((1.0, 0.87), (1.0, 1.15))
"""Every source twice: as recorded, and alternately as a larger or a smaller person."""
TARGET_SPEEDS = (0.8, 0.9, 1.12, 1.25)
"""The target's own sentences once each, never as recorded: the target is not its own source."""


def label_all(
    corpus: Path,
    cache: Path,
    teacher: Path,
    progress: Progress = no_progress,
    *,
    sample_rate: int = 16_000,
) -> list[LabelledAudio]:
    """Label the sources and the target's own sentences of ``corpus`` with the teacher.

    The labels are at ``sample_rate`` Hz, the student's rate. Outputs that are silent, clipped or
    wrong are left out; ``cache/report.md`` names them.
    """
    opened = Corpus.open(corpus)
    name_notices(utterance.path for utterance in opened)
    sources, own = list(opened.select("source")), list(opened.select("target"))
    recordings = []
    for index, speeds in enumerate(SOURCE_SPEEDS):
        chosen = sources[index :: len(SOURCE_SPEEDS)]
        recordings += [(utterance, speed) for utterance in chosen for speed in speeds]
    for index, speed in enumerate(TARGET_SPEEDS):
        recordings += [(utterance, speed) for utterance in own[index :: len(TARGET_SPEEDS)]]
    return label_here(
        DefaultSpec(weights=str(teacher)), recordings, cache, progress, sample_rate=sample_rate
    )
