"""The increase of a counter in the last seconds."""

from __future__ import annotations

from collections import deque


class RecentCount:
    """Records when a counter increased; times are given by the caller, in s."""

    def __init__(self, window_s: float) -> None:
        self._window = window_s
        self._last: int | None = None
        self._rises: deque[tuple[float, int]] = deque(maxlen=4096)

    def count(self, seconds: float, total: int) -> int:
        """Take the counter's value and return its increase within the window.

        The first value is the starting point, and so is a decrease: the counter was reset.
        """
        if self._last is not None and total > self._last:
            self._rises.append((seconds, total - self._last))
        self._last = total
        while self._rises and self._rises[0][0] < seconds - self._window:
            self._rises.popleft()
        return sum(rise for _, rise in self._rises)

    def clear(self) -> None:
        """Forget the increases so far."""
        self._rises.clear()
