"""What a bundle says about itself beside its models' geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FORCED = "forced"
"""Key of `BundleFacts.provenance`: why the bundle was not to be made without ``--force``."""


@dataclass(frozen=True)
class BundleFacts:
    """What a bundle says beside its models' geometry."""

    name: str
    version: str
    licence: str
    """SPDX identifier of the voice model's licence."""
    consent: str
    """How the owner of the voice agreed."""
    licence_text: str
    boards: tuple[str, ...] = ("*",)
    metrics: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    attribution: str = ""
    """Whose recordings the models were trained on, for the card."""
