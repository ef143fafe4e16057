"""Inputs of metrics: a recording, its source and the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.selection import EvaluationSet
from edge_vc.evaluate.systems.open_system import RATE

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """The target voice."""

    centroid: NDArray[np.float32]
    """Unit mean ``[256]`` of the embeddings of the target's centroid sentences."""
    f0_hz: float
    """Median F0 over the voiced frames of all centroid sentences."""


class Derivations:
    """Caches values derived from an object, so that metrics can share them."""

    def __init__(self) -> None:
        self._found: dict[Callable[..., Any], Any] = {}

    def get(self, derive: Callable[[Self], T]) -> T:
        """Return ``derive(self)``, computed on the first call and cached by function."""
        if derive not in self._found:
            self._found[derive] = derive(self)
        found: T = self._found[derive]
        return found


class ScoringContext(Derivations):
    """Values shared by all recordings; ``get`` opens a network once in each process."""

    def __init__(self, chosen: EvaluationSet, target: Target) -> None:
        super().__init__()
        self.chosen = chosen
        self.target = target


class Recording(Derivations):
    """One recording ``[T]`` at `RATE` of the sentence of ``utterance``."""

    sample_rate = RATE

    def __init__(
        self,
        context: ScoringContext,
        utterance: Utterance,
        samples: Samples,
        source: Recording | None = None,
    ) -> None:
        """Wrap samples; ``source`` is the clean recording that was converted, if any."""
        super().__init__()
        self.context = context
        self.utterance = utterance
        self.samples = samples
        self.source = source
