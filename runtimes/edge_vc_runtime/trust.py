"""Trust policy of this machine: its list of signers and its handling of unsigned bundles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.board_profile import SYSTEM_FOLDER, user_folder
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.bundle.signature import (
    SignatureError,
    SignerIdentity,
    SignerList,
    SignerListError,
    verify_signature,
)
from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object

SIGNERS_NAME = "allowed_signers"
REVOKED_NAME = "revoked_keys"
POLICY_NAME = "trust.json"
_POLICY_LIMIT = 1 << 16  # bytes
_UNSIGNED = ("refuse", "allow")
_UNSEEN = ("try", "allow")


@dataclass(frozen=True)
class TrustPolicy:
    """Whose signatures are accepted here, and whether a bundle without one may run."""

    signers: SignerList | None = None
    """None if no signers are listed: signatures are then not checked."""
    unsigned: str = "allow"
    """``allow`` or ``refuse``."""
    source: str = "the default"
    """Folder or list of signers that defines the policy."""
    unseen: str = "try"
    """``try``: first open a bundle that has not run here in a separate process; or ``allow``."""


def machine_policy(
    root: Path = Path("/"), environment: Mapping[str, str] | None = None
) -> TrustPolicy:
    """Return this machine's policy.

    ``/etc/edge-vc`` applies if it contains ``allowed_signers`` or ``trust.json``, otherwise the
    user's ``$XDG_CONFIG_HOME/edge-vc`` (``~/.config`` by default). With ``allowed_signers``,
    unsigned bundles are rejected unless ``trust.json`` contains ``{"unsigned": "allow"}``; without
    it, everything runs unless it contains ``{"unsigned": "refuse"}``. Keys in ``revoked_keys``
    beside it are never accepted. ``{"unseen": "allow"}`` opens bundles that have not run here
    without a trial. Raises `BundleError` for a ``trust.json`` that cannot be read.
    """
    for folder in (root / SYSTEM_FOLDER, user_folder("CONFIG", ".config", environment)):
        allowed, revoked = folder / SIGNERS_NAME, folder / REVOKED_NAME
        stated = _stated(folder / POLICY_NAME)
        if not _there(allowed) and stated is None:
            continue
        signers = None
        if _there(allowed):
            signers = SignerList(allowed, revoked if _there(revoked) else None)
        unsigned, unseen = stated or (None, None)
        unsigned = unsigned or ("refuse" if signers else "allow")
        return TrustPolicy(signers, unsigned, str(folder), unseen or "try")
    return TrustPolicy()


def check_trust(bundle: Bundle, policy: TrustPolicy) -> SignerIdentity | None:
    """Return a bundle's signer; None if it is allowed unsigned, or no signers are listed.

    Raises `SignatureError` if the bundle may not run here.
    """
    try:
        if bundle.signature is not None and policy.signers is not None:
            return verify_signature(bundle.content, bundle.signature, policy.signers)
        if policy.unsigned == "refuse":
            _refuse(bundle, policy)
    except SignerListError:
        raise
    except BundleError as error:
        raise SignatureError(f"{bundle.path}: {error}") from error
    return None


def _refuse(bundle: Bundle, policy: TrustPolicy) -> None:
    if bundle.signature is None:
        own = Path(policy.source) / POLICY_NAME
        other = f', or put {{"unsigned": "allow"}} into {own}' if own.parent.is_dir() else ""
        raise SignatureError(
            f"is not signed and {policy.source} asks for it: edge-vc sign BUNDLE --key KEY{other}"
        )
    raise SignatureError(
        f"is signed, but {policy.source} has no {SIGNERS_NAME} to check it against"
    )


def _there(path: Path) -> bool:
    """Return whether a path exists; an inaccessible one counts, so that it leads to an error."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _stated(path: Path) -> tuple[str | None, str | None] | None:
    """Return ``trust.json``'s settings for unsigned and unseen bundles; None without the file."""
    if not _there(path):
        return None
    try:
        with path.open("rb") as file:
            fields = Fields(parse_object(file.read(_POLICY_LIMIT)))
        there = fields.names()
        unsigned = fields.choice("unsigned", _UNSIGNED) if "unsigned" in there else None
        unseen = fields.choice("unseen", _UNSEEN) if "unseen" in there else None
        fields.done()
    except OSError as error:
        raise SignerListError(f"{path}: {error.strerror or error}") from error
    except FieldError as error:
        raise SignerListError(f"{path}: {error}") from error
    return unsigned, unseen
