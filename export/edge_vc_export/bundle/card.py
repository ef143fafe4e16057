"""The model card of a bundle: voice, consent, models and their cost, measured figures."""

from __future__ import annotations

from collections.abc import Sequence

from edge_vc_export.bundle.facts import FORCED, BundleFacts
from edge_vc_export.metadata import GraphMetadata
from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest

TRAINING_DATA, MEASURED = "## Training data", "## Measured"
"""Headings of the last two sections."""
_USE = """## Intended use

Live conversion of speech into this one voice, on a small computer beside its microphone: reading
aloud, games, privacy, accessibility. Not for passing as the person whose voice it is, nor for
deceiving anybody about who is speaking.
"""


def card_attribution(card: str) -> str:
    """Return the training data section of a card; empty if there is none."""
    _, found, rest = card.partition(f"\n{TRAINING_DATA}\n\n")
    return rest.partition(f"\n\n{MEASURED}\n")[0].rstrip("\n") if found else ""


def model_card(
    facts: BundleFacts, geometry: GraphMetadata | Manifest, models: Sequence[ModelEntry]
) -> str:
    """Return the card as Markdown."""
    rows = [
        f"| {model.file} | {model.precision} | {model.tier} | {model.parameters:,} "
        f"| {model.macs_per_second / 1e6:.1f} |"
        for model in models
    ]
    sections = [
        f"# {facts.name} {facts.version}\n",
        f"Streaming voice conversion, {geometry.sample_rate} Hz, {_latency(geometry)}.\n",
        *_warnings(facts),
        f"## Voice\n\nLicence: {facts.licence}\n\n{facts.consent}\n",
        _USE,
        "## Models\n\n| file | precision | tier | parameters | MMAC/s |\n| --- | --- | --- | ---: "
        "| ---: |\n" + "\n".join(rows) + "\n",
    ]
    if facts.attribution:
        sections.append(f"{TRAINING_DATA}\n\n{facts.attribution}\n")
    if facts.metrics:
        measured = (f"| {name} | {value:.4g} |" for name, value in sorted(facts.metrics.items()))
        sections.append(f"{MEASURED}\n\n| | |\n| --- | ---: |\n" + "\n".join(measured) + "\n")
    return "\n".join(sections)


def _warnings(facts: BundleFacts) -> list[str]:
    """Return warnings to show first in the card."""
    if FORCED not in facts.provenance:
        return []
    return [f"**Exported with --force: {facts.provenance[FORCED]}.**\n"]


def _latency(geometry: GraphMetadata | Manifest) -> str:
    hop_ms, delay_ms = (
        samples / geometry.sample_rate * 1000 for samples in (geometry.hop, geometry.delay)
    )
    return (
        f"{hop_ms + delay_ms:g} ms algorithmic latency "
        f"({hop_ms:g} ms hop, {delay_ms:g} ms look-ahead)"
    )
