"""Output arguments of a verb: what they may name, and whether that can be written now.

An `OutputPlace` is the type of an argument, for argparse and for Typer. It is used to find every
verb's outputs and to check them before the work, so that no half-hour measurement is started whose
result cannot be saved.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.files.error import OutputError, PathLike, named
from edge_vc_runtime.files.part_file import PartFile
from edge_vc_runtime.files.writing import is_stream, kind_of

STDOUT = "-"
_PROBE = b"\0" * 4096
_OTHER = re.compile(
    r"\.(aac|aiff?|avi|bin|bmp|bz2|csv|db|evc|flac|gif|gz|html?|img|jpe?g|jsonl?|m4a|md|mov|mp[34]|"
    r"np[yz]|ogg|onnx|opus|pdf|png|ppm|pth?|pt2|pub|py|raw|rf64|safetensors|sh|sqlite|srt|svg|tar|"
    r"tflite|toml|tsv|txt|w64|wav|webp|whl|xml|xz|ya?ml|zip)"
)
"""Suffixes that denote a kind of file; an output must not have that of another kind."""


@dataclass(frozen=True)
class OutputPlace:
    """An output file or folder."""

    suffixes: tuple[str, ...] = ()
    """Suffixes of the output. The first one denotes its kind; ``()`` allows any name."""
    needs_suffix: bool = False
    """Whether a file without one of them is rejected, since programs go by the suffix."""
    stdout: bool = False
    """Whether ``-`` means standard output."""
    stream: bool = False
    """Whether it may be a device or a pipe, which is written to directly."""
    folder: bool = False
    """Whether it is a folder, created if missing."""
    replaces: tuple[str, ...] = ()
    """Arguments whose file it may overwrite: in-place work."""

    @property
    def __name__(self) -> str:  # argparse and Typer use this name in their errors
        return "folder" if self.folder else "file"

    def __call__(self, text: str) -> str:
        """Return the argument unchanged: it is checked together with all others."""
        return text

    def path(self, text: PathLike) -> Path:
        """Return the argument as a path."""
        return Path(text)

    def named_in(self, value: object) -> tuple[str, ...]:
        """Return the paths in a parsed argument; ``-`` and None are not paths."""
        if isinstance(value, list | tuple):
            return tuple(path for each in value for path in self.named_in(each))
        if isinstance(value, str | os.PathLike) and not (self.stdout and value == STDOUT):
            return (os.fspath(value),)
        return ()

    def check(self, option: str, value: object) -> None:
        """Raise `OutputError` if nothing can be written; tries to write a few bytes."""
        for path in self.named_in(value):
            try:
                self._check(path)
            except OutputError as error:
                where = f"{option} {path}" if option.startswith("-") else path
                reason = error.strerror
                raise OutputError(error.errno or errno.EINVAL, reason, where) from error

    def _check(self, path: str) -> None:
        if not path or "\0" in path:
            raise OutputError.refused(path, "is not a valid file name")
        if self.folder:
            check_folder(path)
            return
        self._check_suffix(path)
        with named(path):
            mode = _mode(path)
            if mode and not stat.S_ISREG(mode) and not (self.stream and is_stream(path)):
                raise OutputError.refused(path, f"is {kind_of(mode)}; name a file")
            if is_stream(path):
                if not os.access(path, os.W_OK):
                    raise OutputError.refused(path, "is not writable")
                return
            _probe(Path(os.path.realpath(path)).parent, path)

    def _check_suffix(self, path: str) -> None:
        suffix = os.path.splitext(path)[1].lower()
        if not self.suffixes or suffix in self.suffixes or (self.stream and is_stream(path)):
            return
        if self.needs_suffix or _OTHER.fullmatch(suffix):
            wanted = " or ".join(self.suffixes)
            raise OutputError.refused(path, f"has to end in {wanted}, which is what is written")


def check_folder(path: PathLike) -> None:
    """Raise `OutputError` if files cannot be put into a folder, or it cannot be created."""
    with named(path):
        mode = _mode(path)
        if mode and not stat.S_ISDIR(mode):
            what = "a file" if stat.S_ISREG(mode) else kind_of(mode)
            raise OutputError.refused(path, f"is {what}; name a folder")
        place = Path(os.path.realpath(path))
        while not place.exists() and place != place.parent:
            place = place.parent
        if not place.is_dir():
            raise OutputError.refused(path, f"cannot be made: {place} is a file")
        _probe(place, path)


def check_places(places: Iterable[tuple[OutputPlace, str, object]]) -> None:
    """Check every output of a verb: its place, its name for the user, its value."""
    for place, option, value in places:
        place.check(option, value)


def _mode(path: PathLike) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _probe(folder: Path, path: PathLike) -> None:
    """Write a few bytes beside the output and remove them: the only reliable test."""
    if not folder.is_dir():
        raise OutputError.refused(path, "its folder does not exist; make it first")
    part = PartFile(folder / "probe", 0o600)
    try:
        part.open().write(_PROBE)
    except OSError as error:
        raise OutputError(error.errno or errno.EIO, error.strerror, os.fspath(path)) from error
    finally:
        part.remove()
