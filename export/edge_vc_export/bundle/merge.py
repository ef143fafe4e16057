"""Merge several bundles of one voice into one bundle with several tiers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_vc_export.bundle.archive import archive_bytes, commit_bundle
from edge_vc_export.bundle.card import card_attribution, model_card
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.writer import CARD, LICENCE
from edge_vc_export.errors import ExportError
from edge_vc_export.signing.signer import Signer
from edge_vc_runtime.bundle.entries import FileEntry
from edge_vc_runtime.bundle.manifest import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    Manifest,
    format_version,
)
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.bundle.tier_entry import TierEntry

_SHARED = ("hop", "sample_rate", "licence", "consent", "boards")
"""Fields that all tiers must share, since a stream of one voice can switch between them."""


def merge_bundles(
    path: str | Path,
    tiers: Mapping[str, Bundle],
    *,
    name: str | None = None,
    version: str | None = None,
    signer: Signer | None = None,
) -> Path:
    """Write the bundles' default students as tiers of one bundle; the first is its default.

    ``tiers`` are open bundles by the name of their tier. The same inputs give the same bytes;
    identical files are stored once; a single bundle gives a bundle without tiers. ``name``
    defaults to the first bundle's name without its tier. Raises `ExportError` for bundles that
    differ in hop, sample rate, licence, consent or boards, and `BundleError` for a result that no
    reader would accept.
    """
    if not tiers:
        raise ExportError("no tiers: give at least one bundle")
    _check_shared(tiers)
    files = _Files()
    entries = [files.add_tier(tier, bundle) for tier, bundle in tiers.items()]
    names, first = list(tiers), next(iter(tiers.values()))
    manifest = replace(
        _as_default(first.manifest, entries[0]),
        name=name or first.manifest.name.removesuffix(f"-{names[0]}"),
        version=version or first.manifest.version,
        runtimes=_runtimes([bundle.manifest for bundle in tiers.values()]),
        tiers=tuple(entries[1:]),
        format_version=format_version(entries[1:], entries[0].inputs),
    )
    if LICENCE in first.manifest.files:
        files.content[LICENCE] = first.read(LICENCE)
    files.content[CARD] = _card(manifest, tiers).encode()
    return _write(Path(path), manifest, files.content, signer)


@dataclass
class _Files:
    """The new bundle's files, each distinct content once."""

    content: dict[str, bytes] = field(default_factory=dict)
    _by_hash: dict[str, str] = field(default_factory=dict)

    def add_tier(self, tier: str, bundle: Bundle) -> TierEntry:
        """Add a bundle's graphs and golden; return the tier's entry with their new names."""
        manifest = bundle.manifest
        first = not self.content
        called = {
            name: self._add(_named(name, manifest, "" if first else tier), bundle.read(name))
            for name in dict.fromkeys(_referred(manifest))
        }
        golden = manifest.golden
        return TierEntry(
            name=tier,
            delay=manifest.delay,
            states=manifest.states,
            models=tuple(
                replace(model, file=called[model.file], tier=tier) for model in manifest.models
            ),
            default=called[manifest.default],
            golden=golden and replace(golden, file=called[golden.file]),
            metrics=manifest.metrics,
            provenance=manifest.provenance,
            inputs=manifest.inputs,
        )

    def _add(self, name: str, data: bytes) -> str:
        known = self._by_hash.setdefault(hashlib.sha256(data).hexdigest(), name)
        if self.content.setdefault(known, data) != data:
            raise ExportError(f"two files would be called {known}; export these bundles anew first")
        return known


def _referred(manifest: Manifest) -> list[str]:
    """Return the names of the graph files and the golden file."""
    golden = [manifest.golden.file] if manifest.golden else []
    return [*(model.file for model in manifest.models), *golden]


def _named(name: str, manifest: Manifest, tier: str) -> str:
    """Return ``model.nano.int8.onnx`` for ``model.int8.onnx``, and back if ``tier`` is empty.

    ``manifest`` is that of the file's former tier, whose name is removed first.
    """
    stem, _, rest = name.partition(".")
    rest = rest.removeprefix(f"{manifest.default_tier}.")
    return f"{stem}.{tier}.{rest}" if tier else f"{stem}.{rest}"


def _as_default(manifest: Manifest, tier: TierEntry) -> Manifest:
    """Return the manifest with a tier's entries moved out of ``tiers`` to the top level."""
    return replace(
        manifest,
        delay=tier.delay,
        states=tier.states,
        models=tier.models,
        default=tier.default,
        golden=tier.golden,
        inputs=tier.inputs,
    )


def _check_shared(tiers: Mapping[str, Bundle]) -> None:
    names = list(tiers)
    first = tiers[names[0]].manifest
    for name in names[1:]:
        other = tiers[name].manifest
        for key in _SHARED:
            ours, theirs = getattr(first, key), getattr(other, key)
            if ours != theirs:
                raise ExportError(
                    f"{key} is {ours!r:.60} in {names[0]} and {theirs!r:.60} in {name}; tiers of "
                    "one bundle have the same"
                )


def _runtimes(manifests: Sequence[Manifest]) -> dict[str, str]:
    """Return the highest of the required minimum versions of each runtime."""
    found: dict[str, str] = {}
    for manifest in manifests:
        for runtime, version in manifest.runtimes.items():
            found[runtime] = max(found.get(runtime, version), version, key=_numbers)
    return dict(sorted(found.items()))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _card(manifest: Manifest, tiers: Mapping[str, Bundle]) -> str:
    """Return a card that lists every tier's models, figures and training data."""
    cards = [b.read(CARD).decode() if CARD in b.manifest.files else "" for b in tiers.values()]
    said = dict.fromkeys(filter(None, map(card_attribution, cards)))
    facts = BundleFacts(
        name=manifest.name,
        version=manifest.version,
        licence=manifest.licence,
        consent=manifest.consent,
        licence_text="",
        metrics={
            f"{tier}: {key}": value
            for tier, bundle in tiers.items()
            for key, value in bundle.manifest.metrics.items()
        },
        provenance=manifest.provenance,
        attribution="\n\n".join(said),
    )
    models = (*manifest.models, *(model for tier in manifest.tiers for model in tier.models))
    return model_card(facts, manifest, models)


def _write(
    path: Path, manifest: Manifest, files: Mapping[str, bytes], signer: Signer | None
) -> Path:
    listed = {
        name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()
    }
    content = replace(manifest, files=listed).to_json()
    Manifest.from_json(content)  # reject whatever a reader would reject
    members = {MANIFEST_NAME: content}
    if signer is not None:
        members[SIGNATURE_NAME] = signer(content)
    return commit_bundle(path, archive_bytes(members | dict(files)))
