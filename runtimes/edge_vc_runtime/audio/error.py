"""Errors of audio input and output."""

from __future__ import annotations

_RATES = (1000, 768_000)


class AudioIOError(Exception):
    """Audio that cannot be read or written; one line with the file and the reason."""


def check_rate(name: str, sample_rate: int) -> None:
    """Raise `AudioIOError` for an implausible rate in Hz.

    At a very low rate, a few thousand samples would be hours of audio.
    """
    low, high = _RATES
    if not low <= sample_rate <= high:
        raise AudioIOError(f"{name}: {sample_rate} Hz is outside {low} to {high} Hz")
