"""Turns external names into file names."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 120  # bytes: suffixes are added, and file systems allow 255
_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\|:*?\"<>\u0085\u2028\u2029]")


def file_name(text: str) -> str:
    """Return ``text`` as a file name: any alphabet, no separators, not hidden, not too long."""
    name = re.sub(r"^\.+", "_", _UNFIT.sub("_", text).strip()) or "_"
    name = name.encode(errors="backslashreplace").decode()
    if len(name.encode()) > _LONGEST:
        cut = name.encode()[: _LONGEST - 9].decode(errors="ignore")
        name = f"{cut}-{short_hash(text)}"
    return name


def short_hash(text: str) -> str:
    """Return eight hexadecimal digits that distinguish names."""
    try:
        data = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, which no file name contains
        data = text.encode(errors="backslashreplace")
    return hashlib.sha256(data).hexdigest()[:8]
