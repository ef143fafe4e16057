"""Messages made safe for a terminal."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path

DEBUG = "EDGE_VC_DEBUG"
"""Environment variable: if set, errors show where in the code they occurred."""

_AS_BYTES = "edge-vc-names"  # error handler by which stdout encodes them
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Characters classed as letters or symbols but displayed blank: enough of them wrap the line."""
_LONGEST = 2000  # characters of one line


def one_line(error: BaseException | str) -> str:
    """Return an error's message as one line without control characters."""
    return printable(" ".join(str(error)[: 2 * _LONGEST].split()))[:_LONGEST]


def system_message(error: OSError) -> str:
    """Return the operating system's message, with the file it refers to."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else reason


def printable(text: str) -> str:
    """Return a line without control and invisible characters; spaces are kept."""
    return "".join(c if c.isprintable() and c not in _BLANK else ascii(c)[1:-1] for c in text)


def shown_path(path: Path) -> str:
    """Return a file name as a result on stdout: unchanged, for the next command.

    On a terminal it is made printable.
    """
    return printable(str(path)) if sys.stdout.isatty() else str(path)


def unexpected(error: BaseException) -> str:
    """Return the line for an unforeseen error, usually caused by a file."""
    if isinstance(error, MemoryError):
        return "out of memory"
    if type(error).__module__.startswith("edge_vc"):  # written for users
        return str(error)
    if isinstance(error, OSError):
        return system_message(error)
    if isinstance(error, UnicodeEncodeError):  # half of a surrogate pair in a name or text
        return f"{error.object[:200]}: holds half of a character, which no file can hold"
    said = f": {error}" if str(error) else ""
    return f"cannot go on: {type(error).__name__}{said[:400]}; {DEBUG}=1 shows where"


def wants_traceback(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether errors should keep their traceback."""
    return bool(environment.get(DEBUG))


def escape_unprintable() -> None:
    """Let stdout and stderr accept unencodable characters: a file name can be any bytes.

    Messages and terminals get an escape sequence. Results on a pipe or in a file get the bytes
    themselves, so that the next command finds the file.
    """
    codecs.register_error(_AS_BYTES, _name_bytes)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            result = stream is sys.stdout and not stream.isatty()
            stream.reconfigure(errors=_AS_BYTES if result else "backslashreplace")


def _name_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Encode undecodable bytes from `os.fsdecode` as those bytes, escape everything else."""
    if isinstance(error, UnicodeEncodeError):
        letter = ord(error.object[error.start])
        if 0xDC80 <= letter <= 0xDCFF:
            return bytes([letter - 0xDC00]), error.start + 1
    return codecs.backslashreplace_errors(error)
