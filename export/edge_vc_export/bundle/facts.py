"""Facts of a bundle about itself besides its models' geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_vc_export.errors import ExportError
from edge_vc_runtime.bundle.description import read_description
from edge_vc_runtime.bundle.entries import read_tier_name
from edge_vc_runtime.schema.fields import FieldError, Fields

FORCED = "forced"
"""Key of `BundleFacts.provenance`: the reason why the export required ``--force``."""


@dataclass(frozen=True)
class BundleFacts:
    """Facts of a bundle about itself besides its models' geometry."""

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

    def check(self) -> None:
        """Raise `ExportError`, before the work starts, for facts that no reader would accept."""
        words = ("name", "version", "licence", "consent")
        try:
            read_description(Fields({word: getattr(self, word) for word in words}))
        except FieldError as error:
            raise ExportError(str(error)) from error


def check_tier(name: str) -> None:
    """Raise `ExportError` for a tier name, used in file names, that no reader would accept."""
    try:
        read_tier_name(Fields({"tier": name}), "tier")
    except FieldError as error:
        raise ExportError(str(error)) from error
