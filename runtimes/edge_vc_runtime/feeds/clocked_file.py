"""A file of vectors played in real time during a live conversion."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from edge_vc_runtime.bundle.input_spec import InputSpec
from edge_vc_runtime.chain.aux_stream import read_rows
from edge_vc_runtime.samples import Samples


class ClockedFile:
    """An `AuxStream` of a file's rows, one per hop from `begin` on; zeros before and after.

    It follows the clock rather than hops: while nobody speaks, the chain may skip hops.
    """

    def __init__(self, path: Path, spec: InputSpec, hop_s: float) -> None:
        """Read the file; raises `AudioIOError`."""
        self._rows = read_rows(path, spec, hop_s)
        self._hop_s = hop_s
        self._began: float | None = None

    def begin(self) -> None:
        """Start with the first row now."""
        self._began = time.monotonic()

    def next(self, out: Samples) -> None:
        """Write the current row into ``out``."""
        row = -1 if self._began is None else int((time.monotonic() - self._began) / self._hop_s)
        if 0 <= row < len(self._rows):
            np.copyto(out, self._rows[row])
        else:
            out.fill(0.0)

    def close(self) -> None:
        """Do nothing: the file has already been read."""
