"""What every stage of the chain is."""

from __future__ import annotations

from typing import Protocol

from edge_vc_runtime.samples import Samples


class ChainStage(Protocol):
    """Takes a hop and returns a hop; state lives in arrays that are allocated once."""

    name: str
    """As the documentation calls it."""

    @property
    def delay(self) -> int:
        """Samples by which the output lags behind the input with the present parameters."""

    def step(self, audio: Samples) -> Samples:
        """Process float32 ``[hop]``; the input is left alone.

        The result may be the input itself, and may be overwritten by the next step.
        """

    def reset(self) -> None:
        """Return to the initial state; parameters stay."""
