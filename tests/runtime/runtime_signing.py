"""Keys, lists of signers and signed bundles, made without the project's signer."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from runtime_bundles import archive, member, mini_contents

from edge_vc_runtime.bundle.manifest import Manifest

NAMESPACE = "edge-vc-bundle"


@dataclass(frozen=True)
class Key:
    """A key pair on disk."""

    path: Path

    @property
    def public(self) -> str:
        return " ".join(self.path.with_name(f"{self.path.name}.pub").read_text().split()[:2])

    def sign(self, data: bytes, namespace: str = NAMESPACE) -> bytes:
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(self.path)]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    def allowed(self, path: Path, who: str = "me@example.com", options: str = "") -> Path:
        """Write a list of signers that holds this key."""
        path.write_text(" ".join(filter(None, (who, options, self.public))) + "\n")
        return path


def make_key(path: Path) -> Key:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", str(path)]
    subprocess.run(command, check=True)
    return Key(path)


def write_signed(path: Path, signature: bytes | None, manifest: Manifest | None = None) -> Path:
    """Write the mini bundle with a signature, good or not."""
    made, files = mini_contents()
    members = [member("manifest.json", (manifest or made).to_json())]
    members += [member("manifest.sig", signature)] if signature is not None else []
    path.write_bytes(archive(*members, *(member(n, d) for n, d in files.items())))
    return path


def mini_manifest() -> bytes:
    """What a signature of the mini bundle covers."""
    return mini_contents()[0].to_json()
