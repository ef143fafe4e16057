"""The audio formats of the board side, in one list used for help, errors and file types."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AudioFormat:
    """A file format and its suffixes."""

    container: str
    """Its name in libsndfile."""
    suffixes: tuple[str, ...]
    writable: bool = True
    builtin: bool = False
    """Read and written without libsndfile."""


FORMATS = (
    AudioFormat("WAV", (".wav",), builtin=True),
    AudioFormat("FLAC", (".flac",)),
    AudioFormat("OGG", (".ogg",)),
    AudioFormat("AIFF", (".aiff", ".aif")),
    AudioFormat("W64", (".w64",)),
    AudioFormat("RF64", (".rf64",)),
    AudioFormat("MP3", (".mp3",), writable=False),
)
"""Formats in the order listed by the help. Files are read by content, not by suffix."""


def readable_suffixes() -> tuple[str, ...]:
    """Return the suffixes of readable formats, in lower case, with the dot."""
    return tuple(suffix for each in FORMATS for suffix in each.suffixes)


def writable_suffixes() -> tuple[str, ...]:
    """Return the suffixes of writable formats, in lower case, with the dot."""
    return tuple(suffix for each in FORMATS if each.writable for suffix in each.suffixes)


def writable_format(suffix: str) -> AudioFormat | None:
    """Return the format written for a lower-case suffix, None if there is none."""
    return next((each for each in FORMATS if each.writable and suffix in each.suffixes), None)


def readable_names() -> str:
    """Return the readable formats, for help and errors: ``WAV, FLAC or MP3``."""
    return _listed([each.container for each in FORMATS])


def writable_names() -> str:
    """Return the writable formats, for help and errors: ``WAV or FLAC``."""
    return _listed([each.container for each in FORMATS if each.writable])


def _listed(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
