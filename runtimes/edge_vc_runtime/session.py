"""A model that is open and ready: one hop in, one hop out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from edge_vc_runtime.bundle import Bundle, read_bundle
from edge_vc_runtime.engines import ENGINES, Engine, EngineError, Samples, load_engine
from edge_vc_runtime.manifest import Manifest, ModelEntry

MAX_THREADS = 64


class Session:
    """Converts speech hop by hop; everything is allocated by `open`, nothing by `step`."""

    def __init__(
        self, manifest: Manifest, model: ModelEntry, engine: Engine, threads: int = 1
    ) -> None:
        self.manifest = manifest
        self.model = model
        self.threads = threads
        self.hop = manifest.hop
        """Samples per step."""
        self.sample_rate = manifest.sample_rate
        """Hz."""
        self.delay = manifest.delay
        """Samples by which the output lags behind the input."""
        self.silenced = 0
        """Hops that held NaN or infinity and were taken as silence."""
        self._engine = engine
        self._input = engine.input
        self._shape = engine.input.shape
        self._dtype = engine.input.dtype

    @classmethod
    def open(
        cls,
        bundle: Bundle | str | Path,
        engine: str = "auto",
        threads: int = 1,
        precision: str | None = None,
    ) -> Session:
        """Load a bundle's default model, or the one of a ``precision`` (``int8``, ``fp32``).

        ``engine="auto"`` takes the first that is installed and that the bundle has a model for.
        Raises `BundleError` or `EngineError`, one line each.
        """
        if not 1 <= threads <= MAX_THREADS:
            raise EngineError(f"threads is {threads}, it has to be 1 to {MAX_THREADS}")
        if not isinstance(bundle, Bundle):
            bundle = read_bundle(bundle)
        name = _choose(bundle.manifest) if engine == "auto" else engine
        factory = load_engine(name)
        model = bundle.manifest.model(precision, name)
        loaded = factory(bundle.manifest, model, bundle.read(model.file), threads)
        return cls(bundle.manifest, model, loaded, threads)

    @property
    def engine(self) -> tuple[str, str]:
        """Name and version of the engine."""
        return self._engine.name, self._engine.version

    def step(self, audio: Samples) -> Samples:
        """Convert one hop, float32 ``[hop]`` to ``[hop]``.

        The result is overwritten two steps later: copy it to keep it. A hop with NaN or infinity
        would stay in the state for ever; it is taken as silence and counted in `silenced`.
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
        """Forget everything heard so far."""
        self._engine.reset()
        self.silenced = 0


def _choose(manifest: Manifest) -> str:
    """Return the first engine that is installed and has a model to run."""
    formats = {model.format for model in manifest.models}
    names = [name for name in ENGINES if name in formats]
    missing: list[str] = []
    for name in names:
        try:
            load_engine(name)
        except EngineError as error:
            missing.append(str(error))
        else:
            return name
    if missing:
        raise EngineError("; ".join(missing))
    raise EngineError(
        f"{manifest.name}: has {', '.join(sorted(formats))} models, none can run here"
    )
