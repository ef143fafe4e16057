"""A waiting time that doubles if the next try fails."""

from __future__ import annotations


class Backoff:
    """The waiting time before something is tried again; all times are given by the caller, in s."""

    def __init__(self, first_s: float, longest_s: float, forget_s: float) -> None:
        self.wait_s = first_s
        """Waiting time before the next try."""
        self._first, self._longest, self._forget = first_s, longest_s, forget_s
        self._tried: float | None = None

    def tried(self, seconds: float) -> None:
        """Record a try."""
        self._tried = seconds

    def failed(self, seconds: float) -> None:
        """Record that it had to be undone: soon after the try doubles the wait, later resets it."""
        if self._tried is not None and seconds - self._tried < self._forget:
            self.wait_s = min(2 * self.wait_s, self._longest)
        else:
            self.wait_s = self._first
        self._tried = None
