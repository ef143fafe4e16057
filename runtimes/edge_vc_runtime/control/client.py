"""Client of a run's control socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path

from edge_vc_runtime.control.error import ControlError
from edge_vc_runtime.control.place import check_place

_TIMEOUT_S = 3.0
_LONGEST_ANSWER = 1 << 16


def ask(path: Path, request: Mapping[str, object]) -> dict[str, object]:
    """Send one request and return the reply.

    Raises `ControlError` if no run listens there, or with the run's message if it rejects it.
    """
    check_place(path)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = _parse(_read_line(connection), path)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise ControlError(
            f"{path}: no run listens there; start `edge-vc-rt run BUNDLE`, or give --socket"
        ) from error
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror or error}") from error
    if "error" in answer:
        raise ControlError(str(answer["error"]))
    return answer


def _read_line(connection: socket.socket) -> bytes:
    data = bytearray()
    while b"\n" not in data and len(data) < _LONGEST_ANSWER:
        piece = connection.recv(4096)
        if not piece:
            break
        data += piece
    return bytes(data)


def _parse(line: bytes, path: Path) -> dict[str, object]:
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise ControlError(f"{path}: the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise ControlError(f"{path}: the answer is not an object")
    return answer
