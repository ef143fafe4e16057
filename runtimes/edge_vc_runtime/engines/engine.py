"""What every inference engine is: a loaded model that advances hop by hop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.samples import Samples


class EngineError(Exception):
    """An engine that is not there or cannot load a model; one line with the remedy."""


class Engine(Protocol):
    """A loaded model with its state: write `input`, call `run`.

    One that takes bundles with conditioning inputs also has ``inputs``: a mapping of each one's
    name to a buffer float32 ``[size]`` that `run` reads. One that has ``states``, a tuple of views
    float32 ``[N]`` of the memory that its states are kept in, has them checked between two runs.
    """

    name: str
    library: str
    """Distribution that does the work, as pip calls it."""
    version: str
    """Version of the library."""
    input: Samples
    """Buffer ``[hop]`` that `run` reads."""

    def run(self) -> Samples:
        """Advance one hop; the returned ``[hop]`` is overwritten two calls later."""

    def reset(self) -> None:
        """Return to silence: all states zero."""


EngineFactory = Callable[[Manifest, ModelEntry, bytes, int], Engine]
"""Builds an engine from manifest, model entry, the model's bytes and a number of threads."""
