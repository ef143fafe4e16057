"""The unit of labelling: one recording at one speed, and its outcome."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.io import (
    AudioError,
    Samples,
    read_audio,
    resample,
)
from edge_vc.audio.long_audio import longer_than
from edge_vc.labelling.label import (
    RATE,
    Alignment,
    Labelled,
    label_recording,
    reading_rate,
)
from edge_vc.labelling.label_part import label_piece
from edge_vc.labelling.labels import pack_labels
from edge_vc.labelling.piece import LONGEST_SECONDS, LabelPiece
from edge_vc.teachers.outliers import OutlierError
from edge_vc.teachers.teacher import Teacher

REVISION = 2
"""Increased whenever the same recording and teacher give other labels, so that old ones expire."""

TOO_LONG = "too long"
"""Reason for returning a recording that was not known to be long; it is never stored."""
KEPT, LEFT_OUT, FAILED = "kept", "left out", "failed"


@dataclass(frozen=True)
class LabelTask:
    """One recording to label, self-contained: a worker needs no other files of this machine."""

    key: str
    """`label_key` of everything that the labels depend on."""
    suffix: str
    """Suffix of the file, such as ``.flac``."""
    content: bytes
    """The file; for a part of a long recording, its samples as float32."""
    speed: float
    """Playback speed, which changes pitch and formants too."""
    alignment: Alignment
    probe: bool = False
    """Only the delay is wanted; outliers do not matter."""
    sample_rate: int = RATE
    """Rate of the labels, Hz."""
    piece: LabelPiece | None = None
    """The part of a long recording, already at its speed; None: a whole recording."""


@dataclass(frozen=True)
class LabelOutcome:
    """The outcome of a task; figures that were not reached are None."""

    key: str
    status: str
    """`KEPT`, `LEFT_OUT` (an outlier, the same every time) or `FAILED` (retried next time)."""
    reason: str = ""
    """One of `REASONS` in `edge_vc.teachers.outliers`, or ``failed``, ``died``, ``no answer``,
    ``bad recording``."""
    fact: str = ""
    delay_ms: float | None = None
    """Delay of the output."""
    correlation: float | None = None
    undone_ms: float | None = None
    level_db: float | None = None
    clipped: float | None = None
    lost: float | None = None
    sha256: str = ""
    """Of the kept ``.npz`` file; another file under its name does not count as its labels."""
    content: bytes = b""
    """The kept ``.npz`` file."""


def label_key(
    path: Path,
    teacher_hash: str,
    speed: float,
    alignment: Alignment,
    sample_rate: int = RATE,
) -> str:
    """Return the name of the labels for a file with this content."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(f"{teacher_hash}:{speed}:{asdict(alignment)}:{REVISION}".encode())
    if sample_rate != RATE:
        digest.update(f":{sample_rate}".encode())
    return digest.hexdigest()[:32]


def perform(teacher: Teacher, task: LabelTask) -> LabelOutcome:
    """Label one recording; any error becomes part of the outcome."""
    try:
        done = _labelled(teacher, task)
    except OutlierError as error:
        return LabelOutcome(task.key, LEFT_OUT, error.reason, error.fact)
    except AudioError as error:
        return LabelOutcome(task.key, LEFT_OUT, "bad recording", str(error))
    except Exception as error:
        # The teacher is third-party code: it may raise anything, and the job continues.
        fact = (str(error).splitlines() or ["no reason given"])[0]
        kind = type(error).__name__
        return LabelOutcome(
            task.key, FAILED, "failed", fact if kind == "TeacherError" else f"{kind}: {fact}"
        )
    content = b"" if task.probe else pack_labels(done.labels)
    return LabelOutcome(
        key=task.key,
        status=KEPT,
        delay_ms=done.delay.ms,
        correlation=done.delay.correlation,
        undone_ms=done.undone_ms,
        level_db=done.soundness.level_db,
        clipped=done.soundness.clipped,
        lost=done.soundness.lost,
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )


def _labelled(teacher: Teacher, task: LabelTask) -> Labelled:
    if task.piece is None:
        audio = _read(task, reading_rate(teacher, task.sample_rate))
        return label_recording(teacher, audio, task.alignment, task.sample_rate)
    window = np.frombuffer(task.content, np.float32)
    return label_piece(teacher, window, task.piece, task.alignment, task.sample_rate)


def _read(task: LabelTask, sample_rate: int) -> Samples:
    with tempfile.NamedTemporaryFile(suffix=task.suffix) as file:
        file.write(task.content)
        file.flush()
        _check_length(Path(file.name), task.speed)
        try:
            audio = read_audio(Path(file.name), sample_rate)
        except AudioError as error:
            raise AudioError(str(error).removeprefix(f"{file.name}: ")) from error
    if task.speed == 1:
        return audio
    return resample(audio, round(sample_rate * task.speed), sample_rate)


def _check_length(path: Path, speed: float) -> None:
    """Raise `OutlierError` for a recording that has to be labelled in parts.

    Its header is not trusted. It is read block by block, and nothing of it is kept.
    """
    if longer_than(path, LONGEST_SECONDS * speed):
        raise OutlierError(TOO_LONG, f"over {LONGEST_SECONDS:g} s")
