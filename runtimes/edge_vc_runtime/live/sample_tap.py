"""Something that listens to a running conversion beside it: subtitles, prosody, a recording."""

from __future__ import annotations

from typing import Protocol

from edge_vc_runtime.samples import Samples


class SampleTap(Protocol):
    """Gets every hop that passes; the inference thread calls it."""

    def push(self, audio: Samples) -> None:
        """Take float32 ``[hop]`` at the model's rate, or drop it; never wait.

        ``audio`` is overwritten after the call.
        """
