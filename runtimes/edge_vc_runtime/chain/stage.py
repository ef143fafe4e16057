"""The protocol of the chain's stages."""

from __future__ import annotations

from typing import Protocol

from edge_vc_runtime.samples import Samples


class ChainStage(Protocol):
    """Takes a hop and returns a hop; state lives in arrays that are allocated once."""

    name: str
    """Its name in the documentation."""

    @property
    def delay(self) -> int:
        """Delay of the output in samples with the current parameters."""

    def step(self, audio: Samples) -> Samples:
        """Process float32 ``[hop]``; the input is not modified.

        The result may be the input itself, and may be overwritten by the next step.
        """

    def reset(self) -> None:
        """Return to the initial state; parameters are kept."""
