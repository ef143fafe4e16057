"""A Unix socket at a path, accessible to its owner only from the very beginning."""

from __future__ import annotations

import contextlib
import secrets
import socket
from pathlib import Path

from edge_vc_runtime.control.error import ControlError
from edge_vc_runtime.control.place import check_place, private_folder

_PROBE_S = 1.0


class BoundSocket:
    """A bound socket, ``socket``, of mode 0600 in a folder of mode 0700.

    It is bound under another name, restricted, then moved into place, so it is never accessible to
    others. A socket left behind by an ended run is replaced; one that is still served is not.
    """

    def __init__(self, path: Path, kind: socket.SocketKind, option: str) -> None:
        """Bind; raises `ControlError`, which names the ``option`` that sets another path."""
        check_place(path)
        private_folder(path.parent, option)
        _refuse_answered(path, kind, option)
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, kind)
        fresh = path.with_name(f".{secrets.token_hex(4)}.s")
        try:
            self.socket.bind(str(fresh))
            fresh.chmod(0o600)
            if kind == socket.SOCK_STREAM:
                self.socket.listen()
            fresh.replace(path)
        except OSError as error:
            self.socket.close()
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise ControlError(f"{path}: {error.strerror or error}") from error
        self._identity = _identity(path)

    def close(self) -> None:
        """Close, and remove the path if it is still this socket's."""
        self.socket.close()
        if self._identity and _identity(self.path) == self._identity:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)


def _refuse_answered(path: Path, kind: socket.SocketKind, option: str) -> None:
    if not path.exists():
        return
    if not path.is_socket():
        raise ControlError(f"{path}: exists and is not a socket; give {option} another path")
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise ControlError(f"{path}: another run listens there; give {option} another path")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
