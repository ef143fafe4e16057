"""List the audio files under a folder: one set of rules for all code that reads folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset(
    (
        ".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64",
        ".w64", ".wav", ".wave",
    )
)  # fmt: skip
"""Suffixes of formats that libsndfile reads."""
FOREIGN = frozenset(
    (
        ".aac", ".ac3", ".amr", ".ape", ".m4a", ".m4b", ".mka", ".mp4", ".mpc", ".ra", ".webm",
        ".wma", ".wv",
    )
)  # fmt: skip
"""Suffixes of audio formats that it does not read; such files are reported."""
READABLE = " ".join(sorted(SUFFIXES))
"""The readable formats, for messages."""
_SHOWN = 5


@dataclass(frozen=True)
class LeftOut:
    """A file that looks like audio but is not used."""

    path: Path
    reason: str
    """Category, one or two words."""
    detail: str
    """The cause, in one line."""

    @property
    def wanted(self) -> bool:
        """Whether its owner may expect it to be used, unlike files that macOS creates."""
        return self.reason not in ("AppleDouble", "hidden", "second microphone", "table")

    @property
    def notice(self) -> str:
        """The line that commands print about it."""
        return f"left out: {self.path}: {self.detail}"


@dataclass(frozen=True)
class AudioScan:
    """Audio files found under a folder."""

    root: Path
    files: tuple[Path, ...]
    """Paths below ``root``, sorted; behind a symbolic link, the path through the link."""
    left_out: tuple[LeftOut, ...] = ()

    def nothing(self) -> str:
        """Return the message that the folder holds no recordings, and why."""
        return f"{self.root}: holds no recordings ({READABLE}){self.describe()}"

    def describe(self) -> str:
        """Return the list of files left out, to append to a message; empty if there are none."""
        if not self.left_out:
            return ""
        names = [f"{item.path.name} ({item.reason})" for item in self.left_out[:_SHOWN]]
        more = len(self.left_out) - _SHOWN
        return f"; left out: {', '.join(names)}" + (f" and {more} more" if more > 0 else "")


def scan_audio(root: Path, folders: Sequence[str] | None = None) -> AudioScan:
    """List the audio files of ``root`` and all its subfolders, or only of the named ``folders``.

    Suffixes are case-insensitive. Linked folders are followed once, after the real ones, so loops
    terminate. Hidden files, AppleDouble files (``._name``, written by macOS), empty files and
    unsupported formats are left out, each with a reason; hidden folders are ignored. Names need
    not be UTF-8.
    """
    found: list[Path] = []
    left_out: list[LeftOut] = []
    walked = _walk(root) if folders is None else _named(root, folders)
    for path in walked:
        if path.is_dir():
            left_out.append(LeftOut(path, "unreadable", "a folder that cannot be opened"))
            continue
        if path.suffix.lower() not in SUFFIXES | FOREIGN:
            continue
        reason, detail = _fault(path)
        if reason:
            left_out.append(LeftOut(path, reason, detail))
        else:
            found.append(path)
    return AudioScan(root, tuple(sorted(found)), tuple(sorted(left_out, key=lambda x: x.path)))


def _walk(root: Path) -> Iterator[Path]:
    """Yield every file once: those in real folders first, then those reached only by links.

    Folders that cannot be opened are yielded too.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        links: list[Path] = []
        for folder in sorted(waiting):
            yield from _below(folder, seen, links)
        waiting = links


def _below(folder: Path, seen: set[tuple[int, int]], links: list[Path]) -> Iterator[Path]:
    if not _first_visit(folder, seen):
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError:  # no permission, or a damaged disk
        yield folder
        return
    for path in entries:
        if not path.is_dir():
            yield path
        elif not path.name.startswith("."):
            if path.is_symlink():
                links.append(path)
            else:
                yield from _below(path, seen, links)


def _named(root: Path, folders: Sequence[str]) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    for name in folders:
        folder = root / name
        if folder.is_dir() and _first_visit(folder, seen):
            yield from (path for path in sorted(folder.iterdir()) if not path.is_dir())


def _first_visit(folder: Path, seen: set[tuple[int, int]]) -> bool:
    state = folder.stat()
    place = (state.st_dev, state.st_ino)
    first = place not in seen
    seen.add(place)
    return first


def _fault(path: Path) -> tuple[str, str]:
    """Return why a file is left out, as reason and detail; empty if it is used."""
    if path.name.startswith("._"):
        return "AppleDouble", "metadata that macOS keeps beside a file, not audio"
    if path.name.startswith("."):
        return "hidden", "its name begins with a dot"
    if not path.is_file():
        link = path.is_symlink() and not path.exists()
        return "no file", "a broken link" if link else "not a regular file"
    if path.suffix.lower() in FOREIGN:
        fact = f"{path.suffix} is not read; convert it to FLAC, for instance with ffmpeg"
        return "unreadable", fact
    if not path.stat().st_size:
        return "empty", "0 bytes"
    return "", ""
