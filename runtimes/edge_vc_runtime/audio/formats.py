"""The audio formats of the board's side, in one list: help, errors and file types follow it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AudioFormat:
    """A file format by its suffixes."""

    container: str
    """As libsndfile calls it."""
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
"""Formats in the order in which help lists them. Reading goes by content, not by suffix."""


def readable_suffixes() -> tuple[str, ...]:
    """Return the suffixes of files that can be read, in lower case with their dot."""
    return tuple(suffix for each in FORMATS for suffix in each.suffixes)


def writable_suffixes() -> tuple[str, ...]:
    """Return the suffixes of files that can be written, in lower case with their dot."""
    return tuple(suffix for each in FORMATS if each.writable for suffix in each.suffixes)


def writable_format(suffix: str) -> AudioFormat | None:
    """Return the format that is written for a suffix in lower case, None when there is none."""
    return next((each for each in FORMATS if each.writable and suffix in each.suffixes), None)


def readable_names() -> str:
    """Return the formats that can be read, for help and errors: ``WAV, FLAC or MP3``."""
    return _listed([each.container for each in FORMATS])


def writable_names() -> str:
    """Return the formats that can be written, for help and errors: ``WAV or FLAC``."""
    return _listed([each.container for each in FORMATS if each.writable])


def _listed(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
