"""Signers of bundles, which sign the manifest's bytes; here with the user's ``ssh-keygen``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_vc_export.bundle.archive import archive_bytes, commit_bundle
from edge_vc_export.errors import ExportError
from edge_vc_runtime.bundle.manifest import MANIFEST_NAME, SIGNATURE_NAME
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.bundle.signature import NAMESPACE
from edge_vc_runtime.vetting.bundle_check import check_bundle


class SigningError(ExportError):
    """A key that cannot be made, found or used; one-line message."""


class Signer(Protocol):
    """Signs manifests; the manifest hashes every other file, so nothing else needs signing."""

    def __call__(self, manifest: bytes) -> bytes:
        """Return an armoured SSH signature of the manifest under `NAMESPACE`."""


@dataclass(frozen=True)
class KeySigner:
    """Signs with a key file; a public key refers to a private one held by ssh-agent.

    Passphrases, agents and security keys are handled by ssh-keygen, which prompts on the terminal.
    """

    key: Path

    def __call__(self, manifest: bytes) -> bytes:
        """Return the signature; raises `SigningError` with ssh-keygen's reason."""
        if not self.key.is_file():
            raise SigningError(f"{self.key}: no such key; make one: edge-vc keys new")
        with tempfile.TemporaryDirectory(prefix="edge-vc-sign-") as folder:
            file = Path(folder) / MANIFEST_NAME
            file.write_bytes(manifest)
            run_keygen(["-Y", "sign", "-n", NAMESPACE, "-f", str(self.key), str(file)])
            return file.with_name(f"{file.name}.sig").read_bytes()


def run_keygen(options: list[str]) -> str:
    """Run ``ssh-keygen`` and return what it printed; raises `SigningError`.

    On a terminal its prompts and messages are shown as they appear.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SigningError("ssh-keygen is missing: apt install openssh-client")
    shown = sys.__stderr__ is not None and sys.__stderr__.isatty()
    done = subprocess.run(
        [program, *options],
        stdin=None if shown else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if shown else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or "").strip().splitlines()
        raise SigningError(f"ssh-keygen: {said[-1] if said else f'ended with {done.returncode}'}")
    return done.stdout


def sign_bundle(path: Path, signer: Signer, output: Path | None = None) -> Path:
    """Put a signature into a bundle, replacing an existing one; return the signed file.

    The manifest and all files are unchanged, so a key with deterministic signatures (Ed25519, RSA)
    gives the same bundle each time. With ``output``, ``path`` is not modified. Raises
    `BundleError` for a bad bundle and `SigningError`.
    """
    bundle = read_bundle(path)
    check_bundle(bundle)
    signed = {MANIFEST_NAME: bundle.content, SIGNATURE_NAME: signer(bundle.content)}
    listed = [name for name in bundle.members if name not in signed]
    files = {name: bundle.read(name) for name in listed}
    return commit_bundle(output or path, archive_bytes(signed | files))
