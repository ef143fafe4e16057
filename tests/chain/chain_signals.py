"""Sounds and converters that the chain's tests share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

Audio = NDArray[np.float32]


class DelayConverter:
    """A model that passes its input on, ``delay`` samples later, times ``gain``."""

    def __init__(
        self, hop: int = 160, sample_rate: int = 16000, delay: int = 160, gain: float = 1.0
    ) -> None:
        self.hop, self.sample_rate, self.delay = hop, sample_rate, delay
        self.gain = gain
        self.steps = 0
        self._past = np.zeros(delay, np.float32)

    def step(self, audio: Audio) -> Audio:
        self.steps += 1
        line = np.concatenate([self._past, audio])
        self._past = line[self.hop :]
        return line[: self.hop] * np.float32(self.gain)

    def reset(self) -> None:
        self._past = np.zeros(self.delay, np.float32)


def stepped(stage: object, audio: Audio, hop: int) -> Audio:
    """Run a stage over whole hops of ``audio``."""
    whole = len(audio) // hop * hop
    return np.concatenate([stage.step(piece).copy() for piece in audio[:whole].reshape(-1, hop)])


def level_db(audio: Audio) -> float:
    return float(10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-12))


def fan(seconds: float, level: float = -45.0, rate: int = 16000) -> Audio:
    """Noise that falls by 3 dB per octave, slowly modulated, with the motor's hum."""
    rng = np.random.default_rng(0)
    n = round(seconds * rate)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / rate), 30))
    noise = np.fft.irfft(spectrum, n)
    t = np.arange(n) / rate
    noise *= (1 + 0.2 * np.sin(2 * np.pi * 0.7 * t)) / noise.std()
    noise += 0.3 * np.sin(2 * np.pi * 100 * t) + 0.2 * np.sin(2 * np.pi * 237 * t)
    return (noise / noise.std() * 10 ** (level / 20)).astype(np.float32)


def breath(seconds: float, level: float = -42.0, rate: int = 16000) -> Audio:
    """Breaths of 0.4 to 1.2 s: band noise that swells and fades."""
    rng = np.random.default_rng(1)
    out = np.zeros(round(seconds * rate))
    start = 0.5
    while start < seconds - 1.5:
        length = rng.uniform(0.4, 1.2)
        n, at = round(length * rate), round(start * rate)
        band = [rng.uniform(300, 700), min(rng.uniform(2500, 5000), 0.45 * rate)]
        noise = sosfilt(butter(2, band, "band", fs=rate, output="sos"), rng.standard_normal(n))
        swell = np.sin(np.pi * np.linspace(0, 1, n)) ** 0.7
        out[at : at + n] += noise / noise.std() * swell * 10 ** ((level + rng.uniform(-3, 3)) / 20)
        start += length + rng.uniform(0.5, 2)
    return out.astype(np.float32)


def keyboard(seconds: float, peak: float = 0.1, rate: int = 16000) -> Audio:
    """Four to five keys a second: click, thump of the desk and ringing, on press and release."""
    rng = np.random.default_rng(2)
    out = np.zeros(round((seconds + 1) * rate))
    start = 0.3
    t = np.arange(round(0.06 * rate)) / rate
    while start < seconds:
        for later, loud in ((0.0, 1.0), (rng.uniform(0.06, 0.12), 0.5)):
            at = round((start + later) * rate)
            click = rng.standard_normal(len(t)) * np.exp(-t / rng.uniform(0.001, 0.004))
            thump = np.sin(2 * np.pi * rng.uniform(120, 400) * t)
            thump *= np.exp(-t / rng.uniform(0.004, 0.012))
            ring = np.sin(2 * np.pi * rng.uniform(1200, 3500) * t)
            ring *= np.exp(-t / rng.uniform(0.003, 0.01))
            key = 0.4 * click + 0.6 * thump + 0.3 * ring
            out[at : at + len(t)] += loud * peak * rng.uniform(0.4, 1) * key
        start += rng.exponential(0.16) + 0.05
    return out[: round(seconds * rate)].astype(np.float32)


def buzz(seconds: float, f0: float = 140.0, level: float = -20.0, rate: int = 16000) -> Audio:
    """A steady voiced sound: harmonics that fall by 6 dB per octave."""
    t = np.arange(round(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * f0 * k * t) / k for k in range(1, 16) if f0 * k < rate / 2)
    return (tone / np.std(tone) * 10 ** (level / 20)).astype(np.float32)


def largest_step(audio: Audio) -> float:
    """The largest second difference: a click is one far above the signal's own."""
    return float(np.abs(np.diff(audio.astype(np.float64), n=2)).max())
