"""A recording too long to be labelled at once: spooled to disk, surveyed, labelled in parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, cast

from edge_vc.audio.level import ActiveLevel, level_gain
from edge_vc.audio.long_audio import (
    LevelledAudio,
    LongAudio,
    SpooledAudio,
    audio_blocks,
    file_blocks,
    file_length,
)
from edge_vc.audio.pitch import frame_hop
from edge_vc.audio.stream import resampled
from edge_vc.data.utterance import Utterance
from edge_vc.labelling.label import Alignment, reading_rate
from edge_vc.labelling.labels import INPUT_DB
from edge_vc.labelling.piece import CONTEXT_SECONDS, LONGEST_SECONDS, PART_SECONDS, LabelPiece
from edge_vc.labelling.task import LabelTask
from edge_vc.teachers.loading import open_teacher
from edge_vc.teachers.spec import TeacherSpec

if TYPE_CHECKING:  # it loads torch
    from edge_vc.teachers.survey import Survey, SurveyingTeacher, SurveyPart

LARGEST_FILE = 1 << 25
"""Bytes of a file up to which it is sent to a worker; the samples of larger ones are counted."""


@dataclass(frozen=True)
class PartKey:
    """The name of a part's labels, and the part's place in the recording in seconds."""

    key: str
    start: float
    stop: float


def may_be_long(utterance: Utterance, speed: float) -> bool:
    """Whether a recording's samples have to be counted before it is given to a worker."""
    seconds = utterance.seconds / speed
    return seconds > LONGEST_SECONDS or utterance.path.stat().st_size > LARGEST_FILE


def part_keys(utterance: Utterance, speed: float, key: str) -> list[PartKey]:
    """Return the parts of a recording whose labels would have ``key``; none for a short one.

    Its samples are counted; its header is not trusted. Raises `AudioError`.
    """
    length, rate = file_length(utterance.path)
    seconds = length / rate / speed
    if seconds <= LONGEST_SECONDS:
        return []
    count = round(seconds / PART_SECONDS)
    found = []
    for number in range(count):
        start = number * PART_SECONDS
        stop = seconds if number == count - 1 else start + PART_SECONDS
        digest = hashlib.sha256(f"{key}:{start}:{PART_SECONDS}".encode()).hexdigest()
        # The first byte is kept: it decides which part of a data set a recording belongs to.
        found.append(PartKey(key[:2] + digest[:30], start, stop))
    return found


@dataclass(frozen=True)
class LongRecording:
    """One opened recording."""

    audio: LongAudio
    """Levelled audio at its speed."""
    rate: int
    """Its rate in Hz."""
    sample_rate: int
    """Rate of the labels in Hz."""
    context_seconds: int
    survey: Survey | None
    """What one of our teachers needs to know about the whole recording."""

    def task(self, part: PartKey, alignment: Alignment, probe: bool = False) -> LabelTask:
        """Return the task of labelling a part."""
        rate, total = self.rate, self.audio.length
        start, stop = round(part.start * rate), min(round(part.stop * rate), total)
        low = max(0, start - self.context_seconds * rate)
        high = min(total, stop + self.context_seconds * rate)
        piece = LabelPiece(rate, low, start, stop, total, self._known(low, high))
        content = self.audio.read(low, high).tobytes()
        return LabelTask(part.key, "", content, 1.0, alignment, probe, self.sample_rate, piece)

    def _known(self, low: int, high: int) -> SurveyPart | None:
        if self.survey is None:
            return None
        scale = self.survey.sample_rate / self.rate / self.survey.hop
        return self.survey.part(round(low * scale), ceil(high * scale))


@contextmanager
def long_recording(
    spec: TeacherSpec, utterance: Utterance, speed: float, sample_rate: int, folder: Path
) -> Iterator[LongRecording]:
    """Open a recording for labels at ``sample_rate`` Hz; it is spooled to ``folder``'s disk.

    Raises `AudioError`, and `TeacherError` if one of our teachers does not open.
    """
    with ExitStack() as stack:
        teacher = _own(spec)
        rate = reading_rate(teacher, sample_rate) if teacher else file_length(utterance.path)[1]
        blocks = file_blocks(utterance.path, rate, speed)
        spool = stack.enter_context(SpooledAudio(blocks, folder))
        meter = ActiveLevel(rate)
        for block in audio_blocks(spool):
            meter.push(block)
        gain, length = level_gain(meter.level_db, meter.peak, INPUT_DB), spool.length
        if teacher is None:
            audio = LevelledAudio(spool, gain, length)
            yield LongRecording(audio, rate, sample_rate, CONTEXT_SECONDS, None)
            return
        if teacher.sample_rate == sample_rate:
            length -= length % frame_hop(sample_rate)
        audio = LevelledAudio(spool, gain, length)
        heard: LongAudio = audio
        if teacher.sample_rate != rate:
            slower = resampled(audio_blocks(audio), rate, teacher.sample_rate)
            heard = stack.enter_context(SpooledAudio(slower, folder))
        survey = teacher.survey(heard)
        yield LongRecording(audio, rate, sample_rate, teacher.context_seconds, survey)


def _own(spec: TeacherSpec) -> SurveyingTeacher | None:
    """Open one of our teachers, None for others, which run in their own processes."""
    return cast("SurveyingTeacher", open_teacher(spec)) if spec.kind == "default" else None
