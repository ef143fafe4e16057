"""The metadata of an armoured SSH signature, read without trusting it.

The format is OpenSSH's ``PROTOCOL.sshsig``; the signature itself is verified by `ssh-keygen`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from edge_vc_runtime.bundle.manifest import SIGNATURE_NAME, BundleError

SIGNATURE_LIMIT = 1 << 16
"""Largest signature in bytes."""
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_VERSION = 1


@dataclass(frozen=True)
class Envelope:
    """Key and purpose of a signature."""

    key: bytes
    """The public key in SSH's wire format."""
    namespace: str

    @property
    def fingerprint(self) -> str:
        """``SHA256:...``, as printed by ssh-keygen."""
        digest = base64.b64encode(hashlib.sha256(self.key).digest()).decode()
        return f"SHA256:{digest.rstrip('=')}"


def read_envelope(signature: bytes) -> Envelope:
    """Parse an untrusted signature; raises `BundleError` for anything that is not one."""
    lines = signature[: SIGNATURE_LIMIT + 1].decode("ascii", "replace").strip().splitlines()
    if (
        len(signature) > SIGNATURE_LIMIT
        or len(lines) < 3
        or [lines[0], lines[-1]] != [_BEGIN, _END]
    ):
        raise BundleError(f"{SIGNATURE_NAME} is not an armoured SSH signature")
    try:
        blob = base64.b64decode("".join(lines[1:-1]), validate=True)
        if not blob.startswith(_MAGIC) or int.from_bytes(blob[6:10], "big") != _VERSION:
            raise ValueError("another format")
        key, rest = _string(blob[10:])
        namespace, _ = _string(rest)
    except (ValueError, binascii.Error) as error:
        raise BundleError(f"{SIGNATURE_NAME} is a damaged SSH signature") from error
    return Envelope(key, namespace.decode("ascii", "backslashreplace"))


def _string(data: bytes) -> tuple[bytes, bytes]:
    """Return the length-prefixed string at the beginning, and the rest."""
    end = 4 + int.from_bytes(data[:4], "big")
    if len(data) < max(4, end):
        raise ValueError("truncated")
    return data[4:end], data[end:]
