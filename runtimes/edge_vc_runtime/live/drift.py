"""Correction of clock drift between two sound cards by slightly resampling the output.

Microphone and loudspeaker have separate crystals. If they differ by 200 ppm, one is ahead by a
whole second after 83 minutes: without a correction the output ring runs empty or full. The
correction follows the number of samples waiting in that ring, slowly enough to be inaudible:
500 ppm are 0.9 cents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class DriftSettings:
    """Parameters of the correction."""

    most_ppm: float = 500.0
    """Largest correction: crystals of sound cards are within 100 ppm, cheap ones within 200."""
    response_s: float = 15.0
    """Time constant of the control loop in s: 200 ppm shift the delay by 1.1 ms until corrected; a
    shorter one would pass the callbacks' jitter on to the pitch."""
    smoothing_s: float = 2.5
    """Time constant of the fill's mean in s; well below ``response_s``, or the loop overshoots."""
    learning_s: float = 5.0
    """Initial time in s over which the mean fill, the target from then on, is measured."""


class DriftController:
    """Estimates how much faster the output's clock runs than the input's, in ppm.

    A critically damped proportional-integral controller on the smoothed fill of the output ring.
    It also removes delay added by an underflow. It has no thread or clock of its own: the time is
    passed with each update.
    """

    def __init__(self, sample_rate: int, settings: DriftSettings | None = None) -> None:
        """Set the rate in Hz at which fills are counted."""
        self.sample_rate = sample_rate
        self.settings = settings or DriftSettings()
        rate = sample_rate * 1e-6  # samples per second for 1 ppm
        response = self.settings.response_s
        self._proportional = 2 / (response * rate)
        self._integral = 1 / (response**2 * rate)
        self._found_ppm = 0.0
        self.ppm = 0.0
        """The correction: additional output samples per million."""
        self.restart()

    @property
    def target(self) -> float | None:
        """The target fill in samples; None while it is being measured."""
        return self._target

    def restart(self) -> None:
        """Measure the target fill again after a stream was reopened; the clocks are the same."""
        self._target: float | None = None
        self._mean: float | None = None
        self._begun: float | None = None
        self._last = 0.0
        self._learned = 0.0
        self._count = 0
        self.ppm = self._found_ppm

    def shift(self, samples: float) -> None:
        """Shift the target: this much delay was added (or removed, negative) on purpose."""
        if self._mean is not None:
            self._mean += samples
        if self._target is not None:
            self._target += samples
        self._learned += samples * self._count

    def update(self, fill: float, seconds: float) -> float:
        """Take the mean fill in samples since the last update; return the correction in ppm.

        ``seconds`` is the time of any monotonic clock. Fills have to be taken at a fixed point of a
        hop's processing, such as before it is written: otherwise, their sawtooth of one hop would
        beat with the update interval.
        """
        if self._begun is None or self._mean is None:
            self._begun = self._last = seconds
            self._mean = fill
        passed = min(max(seconds - self._last, 0.0), 1.0)  # a jump of the clock is not drift
        self._last = seconds
        self._mean += (fill - self._mean) * (1 - math.exp(-passed / self.settings.smoothing_s))
        if self._target is None:
            self._learn(fill, seconds - self._begun)
        else:
            self._correct(self._mean - self._target, passed)
        return self.ppm

    def _learn(self, fill: float, seconds: float) -> None:
        self._learned += fill
        self._count += 1
        if seconds >= self.settings.learning_s:
            # The first fills are those of a newly filled ring: restart the smoothed mean.
            self._mean = self._target = self._learned / self._count

    def _correct(self, error: float, passed: float) -> None:
        """Set the correction for a fill that is ``error`` samples above the target."""
        most = self.settings.most_ppm
        found = self._found_ppm - self._integral * error * passed
        wanted = found - self._proportional * error
        self.ppm = min(max(wanted, -most), most)
        if self.ppm == wanted:  # at the limit, hold the integral to prevent wind-up
            self._found_ppm = min(max(found, -most), most)
