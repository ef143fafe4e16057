"""The phones of a known script as an auxiliary stream."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.inputs import stream_input
from edge_vc.training.student.phones import PHONES, UNKNOWN, PhoneAligner
from edge_vc_runtime.bundle.input_spec import InputSpec

PHONES_INPUT: InputSpec = stream_input(
    "phones", len(PHONES), "the phone of a known script that is spoken now, one-hot"
)
"""The declaration for `StudentConfig.inputs`."""


class ScriptPhones:
    """An `AuxSource`: phones aligned to a recording without noise, from its text or recognised.

    Stands in for an application that knows the script and the reader's position in it.
    """

    name = PHONES_INPUT.name
    size = PHONES_INPUT.size

    def __init__(
        self,
        text_of: Callable[[LabelledAudio], str] = lambda example: "",
        aligner: PhoneAligner | None = None,
    ) -> None:
        """Take ``text_of`` a recording, empty: recognise it; the aligner takes seconds to load."""
        self._text_of = text_of
        self._aligner = aligner or PhoneAligner()

    def frames(self, example: LabelledAudio) -> NDArray[np.float32]:
        """Return one-hot phones ``[size, F]``, zeros where they are unknown."""
        return one_hot(self._aligner.label(example.source, self._text_of(example)))


def one_hot(phones: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return phone indices ``[F]`` as ``[phones, F]``, zeros for `UNKNOWN`."""
    known = phones != UNKNOWN
    columns = np.zeros((len(PHONES), len(phones)), np.float32)
    columns[phones[known], np.flatnonzero(known)] = 1.0
    return columns
