"""How long to train and how the learning rate falls: by steps or by wall-clock time."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import nn


@dataclass(frozen=True)
class Budget:
    """Training ends at ``steps``, or after ``minutes`` of wall-clock time if no steps are given.

    A budget in minutes gives a different number of steps on every machine; the log records that
    number, and a budget of as many ``steps`` repeats the run.
    """

    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` unless exactly one positive limit is given."""
        given = [limit for limit in (self.steps, self.minutes) if limit is not None]
        if len(given) != 1 or given[0] <= 0:
            raise ValueError(
                f"a budget is either steps or minutes, positive; got steps={self.steps}, "
                f"minutes={self.minutes}"
            )

    def progress(self, step: int, seconds: float) -> float:
        """Return the share of the budget used, 1 or more at the end."""
        if self.steps is not None:
            return step / self.steps
        return seconds / 60 / (self.minutes or 1.0)


@dataclass(frozen=True)
class TrainingSession:
    """One uninterrupted part of a run, on one machine."""

    budget: Budget
    """Budget of the whole run; the learning rate follows it."""
    max_minutes: float | None = None
    """Save and stop after this long; the next session resumes."""
    save_minutes: float = 3.0
    """Time between checkpoints; each comes with a validation and an audio sample."""

    def is_spent(self, seconds: float) -> bool:
        """Whether the session ends after ``seconds``."""
        return self.max_minutes is not None and seconds > 60 * self.max_minutes


class Stopwatch:
    """Seconds of training, carried over when a run resumes."""

    def __init__(self, already: float = 0.0) -> None:
        self._already = already
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far, including those of earlier sessions."""
        return self._already + time.monotonic() - self._start


def learning_rate(progress: float, peak: float, floor: float = 0.02, warm: float = 0.01) -> float:
    """Return the rate: linear warm-up over ``warm``, then half a cosine down to ``floor * peak``.

    ``warm`` and ``progress`` are shares of the budget.
    """
    if progress < warm:
        return peak * max(progress / warm, 0.02)
    angle = torch.pi * min((progress - warm) / (1 - warm), 1.0)
    return peak * (floor + (1 - floor) * 0.5 * (1 + float(torch.cos(torch.tensor(angle)))))


N = TypeVar("N", bound=nn.Module)


class MovingAverage(Generic[N]):
    """Exponential moving average of a network's weights, which is evaluated and shipped."""

    def __init__(self, network: N, decay: float = 0.999) -> None:
        self.network = copy.deepcopy(network)
        self.network.eval().requires_grad_(False)
        self.decay = decay
        self._count = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average towards ``network``; early steps have more weight."""
        self._count += 1
        decay = min(self.decay, (1 + self._count) / (10 + self._count))
        mine: list[torch.Tensor] = list(self.network.parameters())
        theirs = [p.detach() for p in network.parameters()]
        torch._foreach_lerp_(mine, theirs, 1 - decay)
        for buffer, source in zip(self.network.buffers(), network.buffers(), strict=True):
            buffer.copy_(source)

    def state_dict(self) -> dict[str, Any]:
        """Return the averaged weights and the number of updates."""
        return {"network": self.network.state_dict(), "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.network.load_state_dict(state["network"])
        self._count = int(state["count"])
