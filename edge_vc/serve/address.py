"""The address of the page, and instructions to open it."""

from __future__ import annotations

import socket

from edge_vc.serve.access import is_loopback
from edge_vc.serve.options import ServeOptions

_EVERY = ("0.0.0.0", "::", "")


def page_address(options: ServeOptions, port: int, token: str) -> str:
    """Return the URL of the page, including the token if one is needed."""
    scheme = "https" if options.secure else "http"
    host = socket.gethostname() if options.host in _EVERY else options.host
    if ":" in host:
        host = f"[{host}]"
    query = f"?token={token}" if token else ""
    return f"{scheme}://{host}:{port}/{query}"


def describe_address(options: ServeOptions, port: int) -> list[str]:
    """Return lines for the terminal: who can open the page, and whether it has a microphone."""
    stop = "stop with Ctrl-C"
    if is_loopback(options.host):
        return [f"for browsers on this machine; {stop}"]
    lines = [f"for anybody who has this address; {stop}"]
    if not options.secure:
        lines.append(
            "no microphone over plain http: browsers allow it on localhost and https only. Pass "
            f"--cert and --key, or forward the port: ssh -L {port}:localhost:{port} "
            f"{socket.gethostname()}"
        )
    return lines
