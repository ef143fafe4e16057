"""An open model: one hop in, one hop out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.input_spec import InputSpec, find_input
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.engines.engine import Engine, EngineError
from edge_vc_runtime.engines.selection import (
    EngineSelection,
    known_board,
    open_engine,
    resolve_threads,
)
from edge_vc_runtime.input_guard import InputGuard
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.trust import check_trust, machine_policy
from edge_vc_runtime.vetting.admission import admit

STATE_EVERY = 8
"""Number of steps between the checks of two states."""


class Session:
    """Converts speech hop by hop; `open` allocates all memory, `step` allocates none."""

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
        """The running engine, and why it was selected."""
        self.threads = threads
        self.hop = manifest.hop
        """Samples per step."""
        self.sample_rate = manifest.sample_rate
        """Hz."""
        self.delay = manifest.delay
        """Delay of the output in samples."""
        self.silenced = 0
        """Number of hops with NaN or infinity that were replaced by silence."""
        self.restarts = 0
        """Number of times that output or state were not finite and the state was reset."""
        self._guard = InputGuard(manifest.hop)
        self._silence = np.zeros(manifest.hop, np.float32)
        self._states: tuple[Samples, ...] = getattr(engine, "states", ())
        self._turn = 0
        self._engine = engine
        self._input = engine.input
        self._shape = engine.input.shape
        self._dtype = engine.input.dtype
        self._inputs = _input_buffers(manifest, engine)
        self._given = {spec.name: np.array(spec.default, np.float32) for spec in manifest.inputs}
        self._moves = tuple((self._inputs[name], given) for name, given in self._given.items())

    @classmethod
    def open(
        cls,
        bundle: Bundle | str | Path,
        engine: str = "auto",
        threads: int | None = None,
        precision: str | None = None,
        tier: str | None = None,
    ) -> Session:
        """Load a bundle's default model, or the one with a ``precision`` (``int8``, ``fp32``).

        ``engine`` is the name of a registered engine (``litert``, ``onnx``) or ``auto``, which
        selects the board profile's engine, otherwise the fastest one that ``edge-vc-rt choose``
        measured here; `selection` holds the result and the reason. ``threads`` defaults to the
        board profile's number, to 1 without a profile; ``tier`` to the bundle's default. A bundle
        that this machine does not trust (`machine_policy`) is rejected before a library loads its
        graph. One that is not signed by an allowed signer and has not run here before is first
        opened in a separate process with limits on memory and time, which takes about a second; a
        pass is remembered. Raises `BundleError` or `EngineError`, one line each.
        """
        board = known_board()
        threads = resolve_threads(threads, board)
        if not isinstance(bundle, Bundle):
            bundle = read_bundle(bundle)
        policy = machine_policy()
        signer = check_trust(bundle, policy)
        known = signer is not None or policy.unseen == "allow"
        bundle = bundle.tier(tier)
        loaded, model, selection = open_engine(
            bundle, engine, threads, precision, board, None if known else admit
        )
        return cls(bundle.manifest, model, loaded, selection, threads)

    @property
    def engine(self) -> tuple[str, str]:
        """Name of the engine and version of its library."""
        return self._engine.name, self._engine.version

    def step(self, audio: Samples) -> Samples:
        """Convert one hop, float32 ``[hop]`` to ``[hop]``.

        The result is overwritten two steps later: copy it to keep it. Samples beyond ±1 would
        affect the state for seconds; they are clamped and counted in `clipped`. A hop with NaN or
        infinity is replaced by silence and counted in `silenced`. If the output, or the state
        checked in this step, is not finite, the output is silence and the state is reset:
        `restarts`.
        """
        if audio.shape != self._shape or audio.dtype != self._dtype:
            raise ValueError(
                f"step takes float32 [{self.hop}], got {audio.dtype} {list(audio.shape)}"
            )
        self._take(audio)
        # Every hop, since an engine may reuse an input's memory after its last reader.
        for buffer, given in self._moves:
            np.copyto(buffer, given)
        out = self._engine.run()
        return out if self._sound(out) else self._restart()

    def _take(self, audio: Samples) -> None:
        energy = np.vdot(audio, audio)  # `dot` would warn of an overflow
        if energy <= 1.0:  # in this case no sample is beyond ±1
            np.copyto(self._input, audio)
        elif math.isfinite(energy):
            np.copyto(self._input, self._guard.step(audio))
        else:
            self._input.fill(0.0)
            self.silenced += 1

    def _sound(self, out: Samples) -> bool:
        if not math.isfinite(np.vdot(out, out)):
            return False
        self._turn += 1
        if self._turn % STATE_EVERY or not self._states:
            return True
        state = self._states[self._turn // STATE_EVERY % len(self._states)]
        return math.isfinite(np.vdot(state, state))

    def _restart(self) -> Samples:
        self._engine.reset()
        self.restarts += 1
        self._silence.fill(0.0)
        return self._silence

    @property
    def clipped(self) -> int:
        """Number of samples above full scale that were clamped."""
        return self._guard.clipped

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """The conditioning inputs for `set`; empty for most bundles."""
        return self.manifest.inputs

    def get(self, name: str) -> tuple[float, ...]:
        """Return the values of a conditioning input; raises `ModelInputError` if unknown."""
        return tuple(map(float, self._given[find_input(self.inputs, name).name]))

    def set(self, name: str, value: object) -> tuple[float, ...]:
        """Set a conditioning input from the next hop on, and return its values.

        ``value`` is anything that `InputSpec.check` accepts: a number, a list, a label such as a
        voice's name, or a mapping of labels. Raises `ModelInputError`, one line, for an unknown
        input and for a value out of range.
        """
        numbers = find_input(self.inputs, name).check(value)
        self._given[name][:] = numbers
        return numbers

    def set_vector(self, name: str, values: Samples) -> None:
        """Copy float32 ``[size]`` into an input, unchecked: for a stream updated every hop.

        Raises `KeyError` for an unknown input, `ValueError` for another size.
        """
        np.copyto(self._given[name], values)

    def reset(self) -> None:
        """Return to the initial state: all zeros. Conditioning inputs keep their values."""
        self._engine.reset()
        self._guard.clipped = 0
        self.silenced = self.restarts = 0


def _input_buffers(manifest: Manifest, engine: Engine) -> Mapping[str, Samples]:
    """Return the engine's buffers of conditioning inputs; a third-party engine may have none."""
    buffers: Mapping[str, Samples] = getattr(engine, "inputs", {})
    for spec in manifest.inputs:
        if spec.name not in buffers:
            raise EngineError(
                f"engine {engine.name} takes no conditioning inputs, {manifest.name} has "
                f"{spec.name}; use --engine litert or onnx"
            )
    return buffers
