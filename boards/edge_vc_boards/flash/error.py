"""Errors of flashing a board."""

from __future__ import annotations


class FlashError(ValueError):
    """An unreachable or unsuitable board, or a bundle that it may not get; one line."""


class NotInstalledError(FlashError):
    """A board on which nothing is installed."""


class FlashCheckError(FlashError):
    """The new release failed on the board and the previous one was restored; one line."""

    exit_code = 1
