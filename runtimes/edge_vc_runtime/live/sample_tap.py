"""A tap on the audio of a running conversion: for subtitles, prosody, a recording."""

from __future__ import annotations

from typing import Protocol

from edge_vc_runtime.samples import Samples


class SampleTap(Protocol):
    """Receives every hop; called by the inference thread."""

    def push(self, audio: Samples) -> None:
        """Take float32 ``[hop]`` at the model's rate, or drop it; never wait.

        ``audio`` is overwritten after the call.
        """
