"""Messages as a terminal may show them."""

from __future__ import annotations


def one_line(error: BaseException | str) -> str:
    """Return an error's message as one line without control characters."""
    return printable(" ".join(str(error).split()))


def printable(text: str) -> str:
    """Return a line without control characters, its spaces kept."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
