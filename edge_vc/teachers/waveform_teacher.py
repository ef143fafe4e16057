"""Checks a converter's output as a teacher's: finite, at the labels' rate, as long as the input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError, Samples, resample
from edge_vc.teachers.outliers import OutlierError, check_form, length_fact

SLACK_MS = 20.0
"""Conversion in whole frames changes the length a little; up to this is cut or padded."""

Call = Callable[[Samples], NDArray[np.generic]]
"""A converter from mono ``[T]`` to an array whose last dimension alone is longer than 1."""


def fit_output(output: Samples, samples: int, sample_rate: int, output_rate: int) -> Samples:
    """Return ``output`` ``[T']`` at ``output_rate`` as ``[samples]`` at ``sample_rate``.

    Raises `OutlierError` for NaN and for a length that is off by more than `SLACK_MS`.
    """
    check_form(output, output, sample_rate)
    at_our_rate = output
    if output_rate != sample_rate and output.size:
        at_our_rate = resample(output, output_rate, sample_rate)
    if abs(len(at_our_rate) - samples) > SLACK_MS / 1000 * sample_rate:
        fact = length_fact(at_our_rate.shape, (samples,), sample_rate)
        raise OutlierError("wrong length", fact)
    cut = at_our_rate[:samples]
    return np.pad(cut, (0, samples - len(cut)))


def as_mono(output: NDArray[np.generic]) -> Samples:
    """Return an array ``[1, ..., T]`` as float32 ``[T]``; raises `OutlierError` for others."""
    if output.ndim == 0 or output.size != output.shape[-1]:
        raise OutlierError("wrong length", f"shape {list(output.shape)} is not one channel")
    if not np.issubdtype(output.dtype, np.floating):
        raise OutlierError("not a number", f"the output is {output.dtype}, audio is float")
    return output.reshape(-1).astype(np.float32)


class WaveformTeacher:
    """A converter of whole recordings with its rates, as a teacher."""

    def __init__(
        self,
        call: Call,
        sample_rate: int,
        output_rate: int = 0,
        *,
        window: int = 0,
        multiple: int = 1,
    ) -> None:
        """Take rates in Hz; an ``output_rate`` of 0 is the same as ``sample_rate``.

        ``window`` is the only length in samples that ``call`` accepts, 0 for any; ``multiple`` is
        what lengths must be a multiple of.
        """
        self._call, self._rate = call, sample_rate
        self._output_rate = output_rate or sample_rate
        self._window, self._multiple = window, multiple

    @property
    def sample_rate(self) -> int:
        """Rate of input and output in Hz."""
        return self._rate

    def convert(self, audio: Samples) -> Samples:
        """Convert ``audio`` ``[T]`` at `sample_rate`; the result is ``[T]``.

        Raises `OutlierError` for an output that is not such audio.
        """
        if audio.ndim != 1 or not audio.size:
            raise AudioError(f"a teacher converts mono [T] with samples: {list(audio.shape)}")
        if self._window:
            return self._in_windows(audio)
        return self._whole(audio, -len(audio) % self._multiple)

    def _whole(self, audio: Samples, padding: int) -> Samples:
        padded = np.pad(audio, (0, padding))
        output = as_mono(self._call(padded))
        fitted = fit_output(output, len(padded), self._rate, self._output_rate)
        return fitted[: len(audio)]

    def _in_windows(self, audio: Samples) -> Samples:
        """Run overlapping windows (by a quarter) and cross-fade them."""
        overlap = self._window // 4
        stride = self._window - overlap
        joined = np.zeros(len(audio), np.float32)
        for start in range(0, max(1, len(audio) - overlap), stride):
            piece = audio[start : start + self._window]
            output = self._whole(piece, self._window - len(piece))
            if start:
                fade = np.linspace(0, 1, min(overlap, len(output)), dtype=np.float32)
                output[: len(fade)] *= fade
                joined[start : start + len(fade)] *= 1 - fade
            joined[start : start + len(output)] += output
        return joined
