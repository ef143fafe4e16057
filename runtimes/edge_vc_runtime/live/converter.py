"""The converter that the audio loop runs once per hop: a session, or a chain around one."""

from __future__ import annotations

from typing import Protocol

from edge_vc_runtime.samples import Samples


class HopConverter(Protocol):
    """One hop in, one hop out, at the model's sample rate; `edge_vc_runtime.Session` is one."""

    hop: int
    """Samples per step."""
    sample_rate: int
    """Hz."""
    delay: int
    """Delay of the output in samples, constant while it runs."""

    def step(self, audio: Samples) -> Samples:
        """Convert float32 ``[hop]`` to ``[hop]``, without locks or logging.

        The result may be overwritten by the next step.
        """

    def reset(self) -> None:
        """Return to the initial state, as before the first step."""
