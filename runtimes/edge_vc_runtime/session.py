"""An open model: one hop in, one hop out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.engines.engine import Engine
from edge_vc_runtime.engines.selection import (
    EngineSelection,
    known_board,
    open_engine,
    resolve_threads,
)
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.trust import check_trust, machine_policy


class Session:
    """Converts speech hop by hop; `open` allocates all memory, `step` none."""

    def __init__(
        self,
        manifest: Manifest,
        model: ModelEntry,
        engine: Engine,
        selection: EngineSelection,
        threads: int = 1,
    ) -> None:
        self.manifest = manifest
        self.model = model
        self.selection = selection
        """The engine that runs, and why it was selected."""
        self.threads = threads
        self.hop = manifest.hop
        """Samples per step."""
        self.sample_rate = manifest.sample_rate
        """Hz."""
        self.delay = manifest.delay
        """Samples by which the output lags behind the input."""
        self.silenced = 0
        """Hops that held NaN or infinity and were replaced by silence."""
        self._engine = engine
        self._input = engine.input
        self._shape = engine.input.shape
        self._dtype = engine.input.dtype

    @classmethod
    def open(
        cls,
        bundle: Bundle | str | Path,
        engine: str = "auto",
        threads: int | None = None,
        precision: str | None = None,
        tier: str | None = None,
    ) -> Session:
        """Load a bundle's default model, or the one of a ``precision`` (``int8``, ``fp32``).

        ``engine`` names a registered engine (``litert``, ``onnx``) or ``auto``, which takes
        the board profile's engine, else the fastest that ``edge-vc-rt choose`` measured here;
        `selection` holds the result and the reason. ``threads`` defaults to the board profile's
        number, to 1 without a profile; ``tier`` to the bundle's default. A bundle that this
        machine does not trust (`machine_policy`) is refused before a library sees its graph.
        Raises `BundleError` or `EngineError`, one line each.
        """
        board = known_board()
        threads = resolve_threads(threads, board)
        if not isinstance(bundle, Bundle):
            bundle = read_bundle(bundle)
        check_trust(bundle, machine_policy())
        bundle = bundle.tier(tier)
        loaded, model, selection = open_engine(bundle, engine, threads, precision, board)
        return cls(bundle.manifest, model, loaded, selection, threads)

    @property
    def engine(self) -> tuple[str, str]:
        """Name of the engine and version of its library."""
        return self._engine.name, self._engine.version

    def step(self, audio: Samples) -> Samples:
        """Convert one hop, float32 ``[hop]`` to ``[hop]``.

        The result is overwritten two steps later: copy it to keep it. A hop with NaN or infinity
        would corrupt the state for good; it is replaced by silence and counted in `silenced`.
        """
        if audio.shape != self._shape or audio.dtype != self._dtype:
            raise ValueError(
                f"step takes float32 [{self.hop}], got {audio.dtype} {list(audio.shape)}"
            )
        np.copyto(self._input, audio)
        if not math.isfinite(self._input.dot(self._input)):
            self._input.fill(0.0)
            self.silenced += 1
        return self._engine.run()

    def reset(self) -> None:
        """Return to the initial state: all zeros."""
        self._engine.reset()
        self.silenced = 0
