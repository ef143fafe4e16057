"""Keys for signing bundles: ordinary OpenSSH keys in a folder of the user's configuration."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from edge_vc_export.signing.signer import SigningError, run_keygen
from edge_vc_runtime.board_profile import user_folder
from edge_vc_runtime.bundle.signature import NAMESPACE
from edge_vc_runtime.files.durable import sync_file, sync_folder
from edge_vc_runtime.files.part_folder import scratch_folder

KINDS = ("ed25519", "ecdsa", "rsa", "ed25519-sk", "ecdsa-sk")
"""Key types of ``ssh-keygen -t``; ``-sk`` are hardware security keys."""
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_IDENTITY = r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,99}"
_PUBLIC = re.compile(r"((?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]{1,4000})(?: (.{0,200}))?")


@dataclass(frozen=True)
class SigningKey:
    """A key pair, described by its public half."""

    path: Path
    """Path of the private key, which may be absent: an agent or security key can hold it."""
    kind: str
    fingerprint: str
    public: str
    """Algorithm and key, as in a list of signers."""
    identity: str
    """Identity of the signer: the public key's comment."""

    def signer_line(self, until: date | None = None) -> str:
        """Return the key's line for a board's ``allowed_signers``; ``until`` is its last day."""
        options = f'namespaces="{NAMESPACE}"'
        if until is not None:
            options += f',valid-before="{until:%Y%m%d}235959"'
        return f"{self.identity} {options} {self.public}"


def keys_folder() -> Path:
    """Return the folder of the keys: ``$XDG_CONFIG_HOME/edge-vc/keys``."""
    return user_folder("CONFIG", ".config") / "keys"


def new_key(
    folder: Path, name: str, identity: str, kind: str = "ed25519", passphrase: bool = True
) -> SigningKey:
    """Make a key pair, the private half readable only by its owner; nothing is overwritten.

    ssh-keygen prompts for a passphrase on the terminal, or for the touch of a security key;
    ``passphrase=False`` makes a key without one. Raises `SigningError`.
    """
    _check(name, _NAME, "name of a key")
    _check(identity, _IDENTITY, "identity")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = folder / name
    if private.is_file() and not os.path.lexists(_public(private)):
        raise SigningError(
            f"{private}: is there without its public half, as after an interruption; make that: "
            f"ssh-keygen -y -f {shlex.quote(str(private))} > {shlex.quote(str(_public(private)))}"
        )
    for path in (private, _public(private)):
        if os.path.lexists(path):
            raise SigningError(f"{path}: is there already and is not overwritten; name another key")
    try:
        with scratch_folder(folder) as beside:
            made = beside / name
            silent = [] if passphrase else ["-N", ""]
            run_keygen(["-q", "-t", kind, "-C", identity, "-f", str(made), *silent])
            made.chmod(0o600)
            sync_file(made)
            # Linking fails if the name exists, even if it was created just now.
            os.link(made, private)
            os.link(_public(made), _public(private))
            sync_folder(folder)
    except FileExistsError as error:
        raise SigningError(f"{error.filename2}: is there already and is not overwritten") from error
    return read_key(private)


def read_key(path: Path) -> SigningKey:
    """Return a key given the path of either half; raises `SigningError` without a public half."""
    private = path.with_suffix("") if path.suffix == ".pub" else path
    public = _public(private)
    try:
        text = public.read_text(encoding="utf-8", errors="replace")[:8192].strip()
    except OSError as error:
        raise SigningError(f"{public}: {error.strerror or error}") from error
    found = _PUBLIC.fullmatch(text)
    if found is None:
        raise SigningError(f"{public}: is not a public key of OpenSSH")
    size, fingerprint, *rest = run_keygen(["-l", "-f", str(public)]).split()
    kind = rest[-1].strip("()").lower() if rest else "unknown"
    return SigningKey(private, f"{kind} {size}", fingerprint, found[1], found[2] or private.name)


def list_keys(folder: Path) -> Sequence[SigningKey]:
    """Return the keys of a folder, sorted by name; raises `SigningError` for an unreadable one."""
    return [read_key(path) for path in sorted(folder.glob("*.pub"))]


def find_key(given: str) -> Path:
    """Return the key that the user refers to: a file, else a key in `keys_folder` by its name."""
    path = Path(given)
    if path.exists() or len(path.parts) != 1:
        return path
    kept = keys_folder() / given
    # Without its private half, the public one refers to a key in ssh-agent.
    return next((each for each in (kept, _public(kept)) if each.is_file()), path)


def _public(private: Path) -> Path:
    return private.with_name(f"{private.name}.pub")


def _check(value: str, pattern: str, what: str) -> None:
    if not re.fullmatch(pattern, value):
        raise SigningError(f"{what} is {value!r:.100}, it has to match {pattern}")
