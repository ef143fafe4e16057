"""Labels a part of a long recording as it would be labelled within the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.audio.level import active_level_db
from edge_vc.audio.pitch import Contour, frame_hop
from edge_vc.labelling.label import (
    Alignment,
    Labelled,
    at_rate,
    from_waveforms,
    reading_rate,
    with_inside,
)
from edge_vc.labelling.piece import LabelPiece
from edge_vc.teachers.outliers import SILENT_DB, OutlierError, check_form
from edge_vc.teachers.teacher import Labels, Teacher

if TYPE_CHECKING:  # it loads torch
    from edge_vc.teachers.survey import SurveyingTeacher


def label_piece(
    teacher: Teacher, window: Samples, piece: LabelPiece, alignment: Alignment, sample_rate: int
) -> Labelled:
    """Label a part of a long recording; ``window`` ``[T]`` is levelled like the whole recording.

    The labels are those of the part alone, as they would be within those of the whole: the
    context on either side is left out of them. Raises as `label_recording` does.
    """
    inner = window[piece.inner(piece.rate)]
    if active_level_db(inner, piece.rate) < SILENT_DB:
        raise OutlierError("silent input", f"active level below {SILENT_DB:g} dBFS")
    rate = reading_rate(teacher, sample_rate)
    source = piece.at(window, rate)
    if piece.known is not None and teacher.sample_rate == sample_rate:
        labels = cast("SurveyingTeacher", teacher).label_part(source, piece.known)
        place, hop = piece.inner(rate), frame_hop(sample_rate)
        frames = slice(place.start // hop, place.stop // hop)
        part = slice(frames.start * hop, frames.stop * hop)
        return with_inside(source[part], PartLabels.of(labels, part, frames), sample_rate)
    heard = at_rate(source, rate, teacher.sample_rate)
    output = _convert_part(teacher, heard, piece)
    check_form(heard, output, teacher.sample_rate)
    source = at_rate(source, rate, sample_rate)
    output = at_rate(output, teacher.sample_rate, sample_rate)
    common = min(len(source), len(output))
    inside = piece.inner(sample_rate)
    return from_waveforms(source[:common], output[:common], alignment, sample_rate, inside)


def _convert_part(teacher: Teacher, heard: Samples, piece: LabelPiece) -> Samples:
    """Return the output for a window; a folder of pairs needs to know the window's position."""
    if piece.known is not None:
        labels = cast("SurveyingTeacher", teacher).label_part(heard, piece.known)
        return labels.audio
    convert_part = getattr(teacher, "convert_part", None)
    if convert_part is not None:
        output: Samples = convert_part(heard, *piece.place(teacher.sample_rate))
        return output
    return teacher.convert(heard)


@dataclass(frozen=True)
class PartLabels:
    """Labels of a part by one of our teachers, without the context around it."""

    audio: Samples
    f0: Contour
    bands: NDArray[np.float32]
    contents: NDArray[np.float32]

    @classmethod
    def of(cls, labels: Labels, part: slice, frames: slice) -> PartLabels:
        """Cut a part out, given as samples and as frames."""
        return cls(
            labels.audio[part],
            labels.f0[frames],
            labels.bands[:, frames],
            labels.contents[:, frames],
        )
