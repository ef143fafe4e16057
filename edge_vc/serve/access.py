"""Access rules of the server: the name it is addressed by, the origin of a request, the token.

A page of another site can send requests to a local server, and by DNS rebinding it can even reach
it under a name of its own. Both can be detected: a browser sends the name in ``Host`` and the
page's site in ``Origin``.
"""

from __future__ import annotations

import re
import secrets
import socket
from dataclasses import dataclass
from ipaddress import ip_address

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9._-]{1,253}))(?::\d{1,5})?")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class AccessRules:
    """The rules of one server; each check returns a reason to refuse, or an empty string."""

    names: frozenset[str]
    """Host names and addresses by which the server may be addressed, in lower case."""
    any_address: bool = False
    """Whether ``Host`` may be any IP address; this is safe since rebinding needs a name."""
    token: str = ""
    """Secret that clients must send; empty if everybody on this machine may connect."""
    cookie: str = "edge_vc"
    """Name of the cookie that carries the token."""

    def check_host(self, host: str) -> str:
        """Check the ``Host`` header."""
        name = host_name(host)
        if name in self.names or (self.any_address and _is_address(name)):
            return ""
        return "this name is not one of the server's; start it with --name NAME to allow it"

    def check_origin(self, origin: str | None, host: str, required: bool) -> str:
        """Check the ``Origin`` header, which only non-browser clients omit."""
        if origin is None:
            return "the request states no Origin" if required else ""
        scheme, _, rest = origin.lower().partition("://")
        if scheme in ("http", "https") and rest == host.lower():
            return ""
        return "the request comes from a page of another site"

    def knows(self, given: str) -> bool:
        """Compare a token with the server's in constant time."""
        return secrets.compare_digest(given.encode(), self.token.encode())


def rules_for(host: str, port: int, names: tuple[str, ...] = ()) -> AccessRules:
    """Return the rules for an address to listen on; unless it is loopback, with a new token."""
    known = _LOCAL | {name.lower() for name in names}
    cookie = f"edge_vc_{port}"
    if is_loopback(host):
        return AccessRules(known, cookie=cookie)
    own = socket.gethostname().lower()
    known |= {host.lower(), own, own.partition(".")[0], f"{own.partition('.')[0]}.local"}
    return AccessRules(known, True, secrets.token_urlsafe(24), cookie)


def is_loopback(host: str) -> bool:
    """Return whether an address to listen on is reachable only from this machine."""
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header without port or brackets; empty if malformed."""
    found = _HOST.fullmatch(host.lower())
    return (found["v6"] or found["name"]) if found else ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
