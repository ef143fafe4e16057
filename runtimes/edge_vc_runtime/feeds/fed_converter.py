"""A converter whose stream input is fed during a live run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from edge_vc_runtime.bundle.input_spec import InputSpec, ModelInputError
from edge_vc_runtime.chain.aux_stream import AuxStream, named_stream, stream_spec
from edge_vc_runtime.feeds.clocked_file import ClockedFile
from edge_vc_runtime.feeds.socket_stream import SocketStream
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.tiers.tiers import TieredConverter

SOCKET = "unix:"
"""Prefix of a socket's path."""


class LiveStream(AuxStream, Protocol):
    """An `AuxStream` with a beginning and an end."""

    def begin(self) -> None:
        """Start its clock, if it has one."""

    def close(self) -> None:
        """Release its resources; may be called repeatedly."""


class FedConverter:
    """Tiers that get a stream's vector before every hop; itself a `HopConverter`."""

    def __init__(self, tiers: TieredConverter, name: str, stream: LiveStream) -> None:
        self._tiers, self._name, self.stream = tiers, name, stream
        self.hop, self.sample_rate, self.delay = tiers.hop, tiers.sample_rate, tiers.delay
        self._fed = [
            session
            for session in tiers.sessions
            if any(spec.name == name for spec in session.inputs)
        ]
        self._vector = np.zeros(stream_spec(tiers.inputs, name).size, np.float32)

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        """Conditioning inputs of the tiers."""
        return self._tiers.inputs

    def get(self, name: str) -> tuple[float, ...]:
        """Return the values of an input; raises `ModelInputError`."""
        return self._tiers.get(name)

    def set(self, name: str, value: object) -> tuple[float, ...]:
        """Set an input in every tier that has it; raises `ModelInputError`."""
        return self._tiers.set(name, value)

    def step(self, audio: Samples) -> Samples:
        """Convert one hop, float32 ``[hop]``, with the stream's current vector."""
        self.stream.next(self._vector)
        for session in self._fed:
            session.set_vector(self._name, self._vector)
        return self._tiers.step(audio)

    def reset(self) -> None:
        """Reset the model to its initial state; the stream continues at its current position."""
        self._tiers.reset()


def fed(tiers: TieredConverter, given: str, say: Callable[[str], None]) -> FedConverter:
    """Return tiers fed by the source of ``--stream NAME=PLACE``: ``unix:SOCKET``, or a file.

    ``say`` is called once if unusable data was received. Raises `ModelInputError`, `AudioIOError`
    and `ControlError`, each in one line.
    """
    name, place = named_stream(given)
    spec = stream_spec(tiers.inputs, name)
    if not place.startswith(SOCKET):
        hop_s = tiers.hop / tiers.sample_rate
        return FedConverter(tiers, name, ClockedFile(Path(place), spec, hop_s))
    path = place.removeprefix(SOCKET)
    if not path:
        raise ModelInputError(f"--stream {given!a:.60}: expected {name}={SOCKET}PATH")
    return FedConverter(tiers, name, SocketStream(Path(path).absolute(), spec, say))
