"""The public key of the signer of a board's bundles, and the check of a bundle against it."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.flash.error import FlashError
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.bundle.signature import (
    NAMESPACE,
    SignatureError,
    SignerList,
    verify_signature,
)

_PUBLIC = re.compile(
    r"((?:ssh|ecdsa|sk)-[a-z0-9@.-]{1,60} [A-Za-z0-9+/=]{16,4000})(?: ([^\n]{0,200}))?\s*"
)


@dataclass(frozen=True)
class SignerKey:
    """One public key."""

    public: str
    """Algorithm and key."""
    identity: str

    @property
    def line(self) -> str:
        """The key's line in a list of signers, for bundles only."""
        return f'{self.identity} namespaces="{NAMESPACE}" {self.public}'


def read_signer_key(path: Path) -> SignerKey:
    """Read ``KEY.pub``; raises `FlashError`."""
    try:
        with path.open("rb") as file:
            found = _PUBLIC.fullmatch(file.read(8192).decode(errors="replace"))
    except OSError as error:
        raise FlashError(f"--trust {path}: {error.strerror or error}") from error
    if found is None:
        raise FlashError(f"--trust {path}: is not a public key of OpenSSH (KEY.pub)")
    comment = re.sub(r"[^A-Za-z0-9._+@-]", "-", (found[2] or "").strip())[:100]
    return SignerKey(found[1], comment or "signer")


def check_signed(bundle: Bundle, key: SignerKey | None, allow_unsigned: bool) -> None:
    """Reject an unsigned bundle, or one that ``key`` has not signed; raises `FlashError`."""
    if bundle.signature is None:
        if not allow_unsigned:
            raise FlashError(
                f"{bundle.path}: is not signed: edge-vc sign BUNDLE --key KEY, or --allow-unsigned"
            )
        return
    if key is None:
        return
    with tempfile.TemporaryDirectory(prefix="edge-vc-signer-") as folder:
        allowed = Path(folder) / "allowed_signers"
        allowed.write_text(f"{key.line}\n", encoding="utf-8")
        try:
            verify_signature(bundle.content, bundle.signature, SignerList(allowed))
        except SignatureError as error:
            text = str(error).replace(str(allowed), "the key of --trust")
            raise FlashError(f"{bundle.path}: {text}") from error
