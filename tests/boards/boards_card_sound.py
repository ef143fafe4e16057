"""Whether a recording is what a voice was converted to, told from what it was before.

A student draws the phases of its output anew, so that two conversions of the same speech differ as
waveforms. Their spectra are compared instead, and above all the change of the spectrum: speech that
was merely passed through is like its conversion to nine tenths, but has none of the change.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.assets import bundle_path
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.session import Session

RATE = 16000
Audio = NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """Two correlations of log spectra at the best delay, 1 for the same sound."""

    sound: float
    """Of what was heard and the conversion made here."""
    change: float
    """Of what each of them has that the speech itself has not."""


def speech(seconds: int = 4) -> Audio:
    """Return the bundle's own recording, with a second of silence behind."""
    golden = read_bundle(bundle_path("kathleen-base")).golden()["input"].astype(np.float64)
    size = seconds * RATE
    return np.concatenate([np.tile(golden, 1 + size // golden.size)[:size], np.zeros(RATE)])


def converted(audio: Audio) -> Audio:
    """Return the conversion of the shipped bundle, made here without a card."""
    session = Session.open(read_bundle(bundle_path("kathleen-base")), "litert")
    hops = audio.astype(np.float32)[: audio.size // session.hop * session.hop]
    done = [session.step(hop).copy() for hop in hops.reshape(-1, session.hop)]
    return np.concatenate(done).astype(np.float64)


def likeness(heard: Audio, said: Audio, wanted: Audio) -> Likeness:
    """Compare a recording of ``[T]`` samples, longer than both, with a conversion of ``said``."""
    one, other, before = _spectrum(heard), _spectrum(wanted), _spectrum(said)
    lags = range(max(1, len(one) - len(other)))
    begin = max(lags, key=lambda lag: _correlation(one[lag : lag + len(other)], other))
    one = one[begin : begin + len(other)]
    late = max(range(12), key=lambda lag: _correlation(other[lag:], before[: len(other) - lag]))
    before = np.concatenate([before[:1].repeat(late, 0), before])[: len(other)]
    return Likeness(_correlation(one, other), _correlation(one - before, other - before))


def wav(audio: Audio) -> bytes:
    """Return a file of 16 bits, mono."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def samples(data: bytes) -> Audio:
    """Return the samples of a recording made by ``arecord``."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0


def _correlation(one: Audio, other: Audio) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one * one).sum() * (other * other).sum())
    return float((one * other).sum() / size) if size > 0 else 0.0


def _spectrum(audio: Audio) -> Audio:
    """Return log magnitudes ``[frames, bands]`` of 40 bands, 10 ms apart."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, 512)[::160] * np.hanning(512)
    power = np.abs(np.fft.rfft(frames))[:, 1:241] ** 2
    return np.asarray(np.log10(power.reshape(len(frames), 40, 6).mean(2) + 1e-4))
