"""Frame-wise modules from ``torch.nn`` under the streaming contract."""

from __future__ import annotations

from torch import Tensor, nn

from edge_vc.nn.layer import State, StreamingLayer


class Stateless(StreamingLayer):
    """Run frame-wise modules: activations, batch norm, 1x1 convolutions.

    Batch norm mixes frames only in training, so streaming is exact in ``eval`` mode.
    """

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*modules)

    def init_state(self, batch: int) -> State:
        """Return no state."""
        return {}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Apply the modules in order to ``x`` ``[B, C, 1, T]``."""
        y: Tensor = self.body(x)
        return y, {}
