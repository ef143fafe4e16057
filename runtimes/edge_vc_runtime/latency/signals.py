"""The signals played to measure a delay, and their detectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from edge_vc_runtime.latency import chirp, probe
from edge_vc_runtime.latency.detection import Detection
from edge_vc_runtime.samples import Samples


@dataclass(frozen=True)
class ProbeSignal:
    """A signal at one sample rate and its detector."""

    name: str
    seconds: float
    play: Callable[[int], Samples]
    """Returns ``[T]`` at a sample rate in Hz."""
    find: Callable[[Samples, int], Detection | None]
    """Finds it in ``[T]`` at a sample rate in Hz."""


def chirp_signal() -> ProbeSignal:
    """Return the chirp: accurate, for cards and anything that preserves the waveform."""
    return ProbeSignal("chirp", chirp.SECONDS, chirp.chirp, chirp.find_chirp)


def speech_signal(seed: int) -> ProbeSignal:
    """Return speech-like syllables, with a different rhythm per seed, for voice converters."""
    return ProbeSignal(
        "speech-like signal",
        probe.SECONDS,
        partial(probe.speech_probe, seed=seed),
        partial(probe.find_probe, seed=seed),
    )
