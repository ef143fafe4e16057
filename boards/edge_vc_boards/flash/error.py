"""Why a board was not flashed."""

from __future__ import annotations


class FlashError(ValueError):
    """A board that cannot be reached or is not fit, or a bundle that it may not get; one line."""


class NotInstalledError(FlashError):
    """A board on which nothing is installed."""


class FlashCheckError(FlashError):
    """The new release failed on the board and what ran before runs again; one line."""

    exit_code = 1
