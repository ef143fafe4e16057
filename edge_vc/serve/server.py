"""One server on one socket, which is bound before the address is announced; stops immediately."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette

from edge_vc.serve.options import ServeOptions
from edge_vc.serve.protocol import MAX_MESSAGE
from edge_vc.serve.voices import ServeError

_SEND_BUFFER = 1 << 16  # bytes that the system may buffer for a page that does not read
_LINGER_S = 0.1
_TICK_S = 0.02
_HINTS = {
    errno.EADDRINUSE: "--port 0 takes a free one",
    errno.EACCES: "take a --port above 1023",
}


class PageServer(uvicorn.Server):
    """Calls ``started`` when it listens; does not wait for pages when it stops."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], object]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then call ``started``."""
        await super().startup(sockets)
        self._tell()

    async def main_loop(self) -> None:
        """Check for signals more often than uvicorn, so that Ctrl-C stops within half a second."""
        while not await self.on_tick(0):
            await asyncio.sleep(_TICK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection, muting uvicorn's expected messages about cancelled ones."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def open_socket(options: ServeOptions) -> socket.socket:
    """Bind the address; raises `ServeError` if it is in use or not one of this machine's."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
    except OSError as error:
        raise ServeError(f"{options.host}: {error.strerror}; give an address to --host") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by every connection: audio waiting in the system's buffer adds delay.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ServeError(
            f"port {options.port} on {options.host} cannot be used: {error.strerror}; "
            f"{_HINTS.get(error.errno or 0, 'give an address of this machine to --host')}"
        ) from error
    listener.listen(64)
    return listener


def check_certificate(options: ServeOptions) -> None:
    """Load certificate and key once; raises `ServeError`."""
    if (options.cert is None) != (options.key is None):
        raise ServeError("--cert and --key belong together, give both or none")
    if options.cert is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(options.cert, options.key)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise ServeError(f"{options.cert}, {options.key}: no usable pair: {reason}") from error


def make_server(
    application: Starlette, options: ServeOptions, started: Callable[[], object]
) -> PageServer:
    """Return the server; ``run(sockets=[...])`` serves until a signal arrives."""
    settings: dict[str, Any] = {
        "access_log": False,  # request lines would carry the token
        "log_config": None,
        "log_level": "error",
        "lifespan": "off",
        "loop": "asyncio",
        "http": "h11",
        "ws": "websockets-sansio",
        "ws_max_size": MAX_MESSAGE,
        "ws_ping_interval": 10.0,
        "ws_ping_timeout": 20.0,
        "ws_per_message_deflate": False,  # audio hardly compresses; avoids decompression bombs
        "server_header": False,
        "proxy_headers": False,
        "limit_concurrency": 100,
        "timeout_keep_alive": 10,
        "timeout_graceful_shutdown": _LINGER_S,
        "ssl_certfile": options.cert,
        "ssl_keyfile": options.key,
    }
    return PageServer(uvicorn.Config(application, **settings), started)
