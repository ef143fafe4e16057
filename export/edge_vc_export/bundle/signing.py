"""Where a bundle's signature comes in: whoever can sign a manifest's bytes can sign a bundle."""

from __future__ import annotations

from typing import Protocol

NAMESPACE = "edge-vc-bundle"
"""Namespace of ``ssh-keygen -Y sign``, so that a signature is good for bundles only."""


class Signer(Protocol):
    """Signs manifests; the manifest hashes every other file, so nothing else needs signing."""

    def __call__(self, manifest: bytes) -> bytes:
        """Return an armoured SSH signature of the manifest under `NAMESPACE`."""
