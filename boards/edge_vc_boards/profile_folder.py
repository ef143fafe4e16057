"""Location of profiles: shipped ones in this package, a user's in the configuration folder."""

from __future__ import annotations

import difflib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from edge_vc_boards.board import Board, BoardError
from edge_vc_boards.profile import PROFILE_LIMIT, read_profile
from edge_vc_runtime.board_profile import user_folder

_SUFFIX = ".toml"


def own_folder() -> Path:
    """Return the folder of a user's own profiles: ``$XDG_CONFIG_HOME/edge-vc/boards``."""
    return user_folder("CONFIG", ".config") / "boards"


def shipped_names() -> tuple[str, ...]:
    """Return the names of the shipped boards, sorted."""
    names = (entry.name for entry in _shipped().iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def board_names() -> tuple[str, ...]:
    """Return the names of all known boards, including the user's own, sorted."""
    return tuple(sorted({*shipped_names(), *(path.stem for path in _own())}))


def load_board(name: str) -> Board:
    """Read a board's profile; raises `BoardError`, which lists the known names."""
    known = board_names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise BoardError(f"no board {name!r:.60}; {guess}known are {', '.join(known)}")
    place = profile_path(name)
    try:
        board = read_profile(_text(name))
        if board.name != name:
            raise BoardError(f"name is {board.name!r}, it has to be that of the file")
    except BoardError as error:
        raise BoardError(f"{place}: {error}") from error
    return board


def load_boards() -> tuple[Board, ...]:
    """Read all profiles, sorted by name."""
    return tuple(load_board(name) for name in board_names())


def shipped_boards() -> tuple[Board, ...]:
    """Read all shipped profiles, sorted by name."""
    return tuple(read_profile(_shipped_text(name)) for name in shipped_names())


def profile_path(name: str) -> str:
    """Return the path of a board's profile."""
    if name in shipped_names():
        return str(_shipped() / f"{name}{_SUFFIX}")
    return str(own_folder() / f"{name}{_SUFFIX}")


def _text(name: str) -> str:
    own = own_folder() / f"{name}{_SUFFIX}"
    if name in shipped_names():
        if own.exists():
            raise BoardError(f"a board of this name ships; rename {own}")
        return _shipped_text(name)
    try:
        if not own.is_file():
            raise BoardError("is not a file")
        with own.open("rb") as file:
            return file.read(PROFILE_LIMIT + 1).decode("utf-8")
    except OSError as error:
        raise BoardError(error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise BoardError(f"is not UTF-8 text (byte {error.start})") from error


def _shipped_text(name: str) -> str:
    return (_shipped() / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def _shipped() -> Traversable:
    return resources.files("edge_vc_boards") / "profiles"


def _own() -> list[Path]:
    try:
        return [path for path in own_folder().iterdir() if path.suffix == _SUFFIX]
    except OSError:
        return []
