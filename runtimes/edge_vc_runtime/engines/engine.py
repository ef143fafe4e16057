"""The protocol of inference engines: a loaded model that advances hop by hop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.samples import Samples


class EngineError(Exception):
    """An engine that is missing or cannot load a model; one line with the remedy."""


class Engine(Protocol):
    """A loaded model with its state: write `input`, call `run`.

    An engine that supports conditioning inputs also has ``inputs``: a mapping from each name to a
    buffer, float32 ``[size]``, that `run` reads. If an engine has ``states``, a tuple of views,
    float32 ``[N]``, of the memory of its states, they are checked between runs.
    """

    name: str
    library: str
    """Distribution that does the work, by its pip name."""
    version: str
    """Version of the library."""
    input: Samples
    """Buffer ``[hop]`` that `run` reads."""

    def run(self) -> Samples:
        """Advance one hop; the returned ``[hop]`` is overwritten two calls later."""

    def reset(self) -> None:
        """Reset to silence: all states zero."""


EngineFactory = Callable[[Manifest, ModelEntry, bytes, int], Engine]
"""Creates an engine from manifest, model entry, the model's bytes and a number of threads."""
