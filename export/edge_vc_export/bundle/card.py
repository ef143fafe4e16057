"""The model card of a bundle: who speaks, who agreed, what it costs, what it was measured at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge_vc_export.facts import GraphFacts
from edge_vc_runtime.bundle.manifest import ModelEntry

if TYPE_CHECKING:
    from edge_vc_export.bundle.facts import BundleFacts

_USE = """## Intended use

Live conversion of speech into this one voice, on a small computer beside its microphone: reading
aloud, games, privacy, accessibility. Not for passing as the person whose voice it is, nor for
deceiving anybody about who is speaking.
"""


def model_card(facts: BundleFacts, geometry: GraphFacts, models: Sequence[ModelEntry]) -> str:
    """Return the card as Markdown."""
    rows = [
        f"| {model.file} | {model.precision} | {model.tier} | {model.parameters:,} "
        f"| {model.macs_per_second / 1e6:.1f} |"
        for model in models
    ]
    sections = [
        f"# {facts.name} {facts.version}\n",
        f"Streaming voice conversion, {geometry.sample_rate} Hz, {_latency(geometry)}.\n",
        f"## Voice\n\nLicence: {facts.licence}\n\n{facts.consent}\n",
        _USE,
        "## Models\n\n| file | precision | tier | parameters | MMAC/s |\n| --- | --- | --- | ---: "
        "| ---: |\n" + "\n".join(rows) + "\n",
    ]
    if facts.attribution:
        sections.append(f"## Training data\n\n{facts.attribution}\n")
    if facts.metrics:
        measured = (f"| {name} | {value:.4g} |" for name, value in sorted(facts.metrics.items()))
        sections.append("## Measured\n\n| | |\n| --- | ---: |\n" + "\n".join(measured) + "\n")
    return "\n".join(sections)


def _latency(geometry: GraphFacts) -> str:
    hop_ms, delay_ms = (
        samples / geometry.sample_rate * 1000 for samples in (geometry.hop, geometry.delay)
    )
    return (
        f"{hop_ms + delay_ms:g} ms algorithmic latency "
        f"({hop_ms:g} ms hop, {delay_ms:g} ms look-ahead)"
    )
