"""Paths of a run's sockets."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from edge_vc_runtime.board_profile import user_folder
from edge_vc_runtime.control.error import ControlError

_NAME = "control.sock"
_LONGEST = 100  # bytes; the kernel accepts 107


def default_place(environment: Mapping[str, str] | None = None) -> Path:
    """Return ``$XDG_RUNTIME_DIR/edge-vc/control.sock``, or one in the user's state folder."""
    environment = os.environ if environment is None else environment
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        return Path(runtime) / "edge-vc" / _NAME
    return user_folder("STATE", ".local/state", environment) / "run" / _NAME


def check_place(path: Path) -> None:
    """Raise `ControlError` for a path that is not possible for a socket."""
    if len(os.fsencode(path)) > _LONGEST:
        raise ControlError(f"{path}: is too long for a socket; give a path below {_LONGEST} bytes")


def private_folder(path: Path, option: str = "--control") -> None:
    """Create a folder accessible to its owner only; raises `ControlError` for other folders.

    ``option`` is the option that sets another path.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror or error}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ControlError(f"{path}: is not a folder of yours; give {option} another path")
    if found.st_mode & stat.S_ISVTX:  # such as /tmp, which must not be changed
        raise ControlError(
            f"{path}: is writable by everybody; give {option} a path in a folder of yours, as "
            f"{path}/mine/s"
        )
    if found.st_mode & 0o077:
        raise ControlError(f"{path}: others may enter it; chmod 700 it, or give another path")
