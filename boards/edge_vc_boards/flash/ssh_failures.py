"""Translates OpenSSH's errors to one line that says what to do."""

from __future__ import annotations

import re

from edge_vc_boards.flash.error import FlashError

_FAILURES = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key has changed: possibly a man-in-the-middle attack, or the board was "
        "reinstalled; only if you know that it was, remove the old key: ssh-keygen -R {host}",
    ),
    (
        "Host key verification failed|host key is known for",
        "its host key is not known here: log in once with ssh {target}, compare the fingerprint "
        "with the board's (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and accept it",
    ),
    (
        "Permission denied|Too many authentication failures",
        "no login: {line}; bring your key there with ssh-copy-id {target}, or name it with "
        "--identity",
    ),
    (
        "Could not resolve hostname",
        "no such host; is the board on this network? Its address works too",
    ),
    (
        "Connection refused",
        "nothing answers for SSH there; switch the SSH server of the board on, or name its --port",
    ),
    (
        "timed out|No route to host|Network is unreachable",
        "cannot be reached ({line}); is it switched on and on this network?",
    ),
)
_CUT = (
    "the connection was cut{line}; nothing is broken there, and the same command resumes where "
    "it stopped"
)


def ssh_failure(target: str, said: str) -> FlashError:
    """Return the error for an ``ssh`` that exited with 255 and these lines on stderr."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = next((text for pattern, text in _FAILURES if re.search(pattern, said)), _CUT)
    pattern = next((pattern for pattern, text in _FAILURES if text == told), "")
    line = next((each for each in reversed(lines) if re.search(pattern, each)), "")
    line = f" ({line})" if line and told == _CUT else line
    host = target.rpartition("@")[2]
    return FlashError(f"{target}: {told.format(host=host, target=target, line=line[:200])}")
