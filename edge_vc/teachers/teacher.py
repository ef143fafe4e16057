"""The interface of a teacher: anything that converts a recording offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples

if TYPE_CHECKING:  # it loads torch, which listing the kinds of teachers must not need
    from edge_vc.audio.pitch import Contour


class Teacher(Protocol):
    """Anything that converts a recording offline."""

    @property
    def sample_rate(self) -> int:
        """Rate of input and output in Hz."""
        ...

    def convert(self, audio: Samples) -> Samples:
        """Return the converted ``audio`` ``[T]``, time-aligned and of the same length."""
        ...


class Labels(Protocol):
    """The output of a teacher together with its internal features, for ``F`` hops."""

    @property
    def audio(self) -> Samples:
        """The converted recording ``[T]``."""
        ...

    @property
    def f0(self) -> Contour:
        """Its F0 in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
        ...

    @property
    def bands(self) -> NDArray[np.float32]:
        """Parameters of the synthesis filters, ``[3 * bands, F]``."""
        ...

    @property
    def contents(self) -> NDArray[np.float32]:
        """Content features of each frame, ``[C, F]``; ``[0, F]`` if the teacher has none."""
        ...
