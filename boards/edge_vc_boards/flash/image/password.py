"""The password of the card's user, which is only stored on the card as a SHA-512 crypt hash."""

from __future__ import annotations

import base64
import hashlib
import re

from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.host_tool import run_tool

_HASH = re.compile(r"\$(?:5|6|y)\$[A-Za-z0-9./$=,]{8,200}")


def password_hash(password: str, *context: str) -> str:
    """Return the ``/etc/shadow`` entry of a password; a hash is returned unchanged.

    The salt is derived with scrypt from the password and ``context`` (user, host, instance), so
    that the same card can be reproduced byte for byte; guessing passwords from the salt costs more
    than from the hash. Raises `CardError`.
    """
    if _HASH.fullmatch(password):
        return password
    if not (1 <= len(password.encode()) <= 256 and password.isprintable()):
        raise CardError("the password has to be 1 to 256 printable bytes")
    salt = _salt(password, "\0".join(context))
    done = run_tool(["openssl", "passwd", "-6", "-salt", salt, "-stdin"], password.encode() + b"\n")
    made = done.stdout.decode(errors="replace").strip()
    if done.returncode or not made.startswith(f"$6${salt}$"):
        raise CardError("openssl passwd -6 made no hash; OpenSSL 1.1.1 or newer is needed")
    return made


def _salt(password: str, context: str) -> str:
    made = hashlib.scrypt(
        password.encode(), salt=f"edge-vc card\0{context}".encode(), n=1 << 14, r=8, p=1, dklen=12
    )
    return base64.b64encode(made, altchars=b"./").decode()
