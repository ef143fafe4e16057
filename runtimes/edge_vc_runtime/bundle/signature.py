"""Signatures of bundles, verified by the machine's own OpenSSH without a Python package.

The signature covers the manifest's bytes; the manifest holds the hash of every other file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.bundle.envelope import read_envelope
from edge_vc_runtime.bundle.manifest import BundleError

NAMESPACE = "edge-vc-bundle"
"""Namespace of ``ssh-keygen -Y sign``, so that a signature is valid for bundles only."""
LIST_LIMIT = 1 << 20
"""Largest list of signers or of revoked keys in bytes."""
_TIMEOUT_S = 30.0
_EARLIEST = 1_767_225_600.0  # 2026-01-01, before anything was signed in this namespace
_CLOCK = re.compile(r"key (has expired|is not yet valid): verify time \S+ [<>] (valid-\w+ \S+)")


class SignatureError(BundleError):
    """A signature that is missing, invalid or by a signer who is not allowed; one line."""


class SignerListError(BundleError):
    """A list of signers or revoked keys, or an ssh-keygen, that is unusable; one line."""


@dataclass(frozen=True)
class SignerList:
    """Whose signatures are accepted."""

    allowed: Path
    """OpenSSH's ``allowed_signers`` format; ``valid-after`` and ``valid-before`` are honoured."""
    revoked: Path | None = None
    """Revoked public keys, one per line, or a revocation list of ssh-keygen."""


@dataclass(frozen=True)
class SignerIdentity:
    """The signer of a bundle."""

    principal: str
    """Name in the list of signers."""
    fingerprint: str
    """Fingerprint of the key, ``SHA256:...``."""


def verify_signature(
    manifest: bytes, signature: bytes, signers: SignerList, at: float | None = None
) -> SignerIdentity:
    """Return the signer of the manifest.

    ``at`` is the time in s since 1970 at which the signer has to be allowed, by default
    `signing_time`. Raises `SignatureError` for a signature that is not accepted and
    `SignerListError` if it cannot be checked.
    """
    envelope = read_envelope(signature)
    if envelope.namespace != NAMESPACE:
        raise SignatureError(
            f"signature has the namespace {envelope.namespace!r:.60}, it has to be {NAMESPACE}"
        )
    _check_list(signers.allowed)
    if signers.revoked is not None:
        _check_list(signers.revoked)
    when = signing_time(signers) if at is None else at
    with tempfile.TemporaryDirectory(prefix="edge-vc-signature-") as folder:
        file = Path(folder) / "manifest.sig"
        file.write_bytes(signature)
        keygen = _Keygen(file, manifest, signers, when)
        checked = keygen.intact()
        if "No user exists" in checked.stderr.decode(
            errors="replace"
        ):  # e.g. a unit's DynamicUser without libnss-systemd
            raise SignerListError(
                f"signatures cannot be checked by user {os.getuid()}, who has no name here; "
                "run it as a user of /etc/passwd, or sudo apt install libnss-systemd"
            )
        if checked.returncode:
            raise SignatureError("signature does not fit the manifest: tampered with or damaged")
        return SignerIdentity(keygen.principal(envelope.fingerprint), envelope.fingerprint)


def signing_time(signers: SignerList) -> float:
    """Return the time in s since 1970 at which signers have to be allowed.

    That is the current time, but never before 2026 or before the list of signers was written: a
    board without a battery starts in 1970, when no key has expired.
    """
    try:
        return max(_EARLIEST, time.time(), signers.allowed.stat().st_mtime)
    except OSError:
        return max(_EARLIEST, time.time())


@dataclass(frozen=True)
class _Keygen:
    """``ssh-keygen -Y`` on one signature."""

    signature: Path
    manifest: bytes
    signers: SignerList
    when: float

    def intact(self) -> subprocess.CompletedProcess[bytes]:
        """Check the signature against the key that it contains, regardless of the signer."""
        return self._run("check-novalidate", "-n", NAMESPACE)

    def principal(self, fingerprint: str) -> str:
        """Return the first allowed principal who matches the signature."""
        allowed = ["-f", str(self.signers.allowed), self._time()]
        found = self._run("find-principals", *allowed, reads=False)
        names = found.stdout.decode(errors="replace").split("\n")
        complaints = found.stderr
        for name in filter(None, names if found.returncode == 0 else []):
            usual = [*allowed, "-I", name, "-n", NAMESPACE]
            done = self._run("verify", *usual, *self._revoked())
            if done.returncode == 0:
                return name
            if self._revoked() and self._run("verify", *usual).returncode == 0:
                raise SignatureError(f"signed with {fingerprint}, a revoked key of {name!r:.100}")
            complaints += done.stderr
        raise SignatureError(f"signed with {fingerprint}, {self._reason(complaints.decode())}")

    def _reason(self, complaints: str) -> str:
        late = _CLOCK.search(complaints)
        if late:
            return f"whose key {late[1]} ({late[2]} in {self.signers.allowed})"
        if "not permitted for use in signature namespace" in complaints:
            return f"which {self.signers.allowed} does not allow to sign bundles"
        return f"which is not in {self.signers.allowed}"

    def _revoked(self) -> list[str]:
        return ["-r", str(self.signers.revoked)] if self.signers.revoked else []

    def _time(self) -> str:
        # Local time: OpenSSH before 9.1 does not support the suffix Z.
        return f"-Overify-time={time.strftime('%Y%m%d%H%M%S', time.localtime(self.when))}"

    def _run(
        self, verb: str, *options: str, reads: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        program = shutil.which("ssh-keygen")
        if program is None:
            raise SignerListError("ssh-keygen is missing: apt install openssh-client")
        command = [program, "-Y", verb, "-s", str(self.signature), *options]
        try:
            return subprocess.run(
                command,
                input=self.manifest if reads else b"",
                capture_output=True,
                timeout=_TIMEOUT_S,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SignerListError(f"{program} cannot be used: {error}") from error


def _check_list(path: Path) -> None:
    """Reject a list that cannot be read: without it every signer would look unknown."""
    try:
        with path.open("rb") as file:
            if len(file.read(LIST_LIMIT + 1)) > LIST_LIMIT:
                raise SignerListError(f"{path}: more than {LIST_LIMIT} bytes")
    except OSError as error:
        raise SignerListError(f"{path}: {error.strerror or error}") from error
