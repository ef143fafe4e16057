"""A Unix socket by which programs of the same user control a run."""

from __future__ import annotations

import os
import selectors
import socket
import struct
import threading
from pathlib import Path

from edge_vc_runtime.control.bound_socket import BoundSocket
from edge_vc_runtime.control.requests import LONGEST_LINE, ControlRequests

_MOST_CLIENTS = 8
_LOOK_S = 0.2  # how soon `close` takes effect
_SEND_S = 1.0  # a client that does not read is dropped
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid of SO_PEERCRED


class ControlSocket:
    """Listens in its own thread; readable and writable by its owner only.

    The folder is created with mode 0700 and checked, the socket has 0600, and the kernel is asked
    for the peer's user. A socket left behind by an ended run is replaced; if one is still served,
    `ControlError` is raised.
    """

    def __init__(self, path: Path, requests: ControlRequests) -> None:
        self.path = path
        self._requests = requests
        self._closed = threading.Event()
        self._bound = BoundSocket(path, socket.SOCK_STREAM, "--control")
        self._listener = self._bound.socket
        self._listener.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop and remove the socket; may be called repeatedly."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._thread.join(5 * _LOOK_S + _SEND_S)
        self._bound.close()

    def _run(self) -> None:
        clients: dict[socket.socket, bytearray] = {}
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._closed.is_set():
                for key, _ in selector.select(_LOOK_S):
                    if key.fileobj is self._listener:
                        self._accept(selector, clients)
                    else:
                        self._serve(selector, clients, key.fileobj)  # type: ignore[arg-type]
        for client in clients:
            client.close()

    def _accept(
        self, selector: selectors.BaseSelector, clients: dict[socket.socket, bytearray]
    ) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        if len(clients) >= _MOST_CLIENTS or not _same_user(client):
            client.close()
            return
        client.settimeout(_SEND_S)
        clients[client] = bytearray()
        selector.register(client, selectors.EVENT_READ)

    def _serve(
        self,
        selector: selectors.BaseSelector,
        clients: dict[socket.socket, bytearray],
        client: socket.socket,
    ) -> None:
        """Read available data and answer every complete line; drop a client that misbehaves."""
        pending = clients[client]
        try:
            data = client.recv(LONGEST_LINE)
            pending += data
            while (end := pending.find(b"\n")) >= 0:
                client.sendall(self._requests.answer(bytes(pending[:end])))
                del pending[: end + 1]
            if len(pending) > LONGEST_LINE:
                client.sendall(self._requests.answer(bytes(pending)))
                data = b""
        except OSError:
            data = b""
        if not data:
            selector.unregister(client)
            del clients[client]
            client.close()


def _same_user(client: socket.socket) -> bool:
    data = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[1]) in (os.geteuid(), 0)
