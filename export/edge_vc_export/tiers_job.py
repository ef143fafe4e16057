"""An export job for several students: which source becomes which tier of the bundle."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc.assets import bundle_names, bundle_path, find_bundle
from edge_vc_export.bundle.facts import BundleFacts, check_tier
from edge_vc_export.bundle.merge import merge_bundles
from edge_vc_export.bundle.release import rewrite_bundle
from edge_vc_export.bundle.selection import Selection
from edge_vc_export.compress_run import SUMMARY, CompressRun
from edge_vc_export.errors import ExportError
from edge_vc_export.job import Overrides, job_of_run, job_of_student
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.vetting.bundle_check import check_bundle

Note = Callable[[str], None]
_ANY = BundleFacts("any", "0", "any", "any", "")
"""Placeholder for the facts given by the sources."""


@dataclass(frozen=True)
class TiersJob:
    """Everything needed to make a bundle of several tiers."""

    sources: tuple[tuple[str, Path], ...]
    """Tier names with a run folder, student file or bundle each; the first is the default."""
    overrides: Overrides
    force: bool = False

    def run(self, output: Path | None = None, note: Note = lambda line: None) -> Path:
        """Export sources that are not bundles yet, merge all, and return the bundle's path.

        Raises the errors of `job_of_run`, `release_bundle` and `merge_bundles`.
        """
        self.overrides.facts(_ANY).check()
        with tempfile.TemporaryDirectory(prefix="edge-vc-tiers-") as folder:
            tiers: dict[str, Bundle] = {}
            for name, source in self.sources:
                note(f"tier {name}: {source}")
                tiers[name] = self._open(name, source, Path(folder) / f"{name}.evc", note)
            name = self.overrides.name or _voice(tiers)
            return merge_bundles(
                output or Path(f"{name}.evc"), tiers, name=name, version=self.overrides.version
            )

    def _open(self, tier: str, source: Path, made: Path, note: Note) -> Bundle:
        """Return a source as an open bundle of one tier."""
        if source.suffix == ".evc":
            return self._of_bundle(tier, source, made, note)
        own = replace(self.overrides, tier=tier)
        if source.is_dir():
            job_of_run(CompressRun.read(source), own, force=self.force).run(made, note)
        else:
            job_of_student(source, own, name=source.stem).run(made, note)
        return read_bundle(made)

    def _of_bundle(self, tier: str, source: Path, made: Path, note: Note) -> Bundle:
        said = [word for word in self.overrides.given_facts() if word not in ("name", "version")]
        if said:
            raise ExportError(f"--{said[0]}: {source} keeps its own facts; export its run instead")
        bundle = read_bundle(source)
        check_bundle(bundle)
        own = tier if tier in bundle.manifest.tier_names else None
        bundle = bundle.tier(own)
        if self.overrides.formats is None and self.overrides.precisions is None:
            return bundle
        rewrite_bundle(bundle, made, self.overrides.selection(Selection()), note=note)
        return read_bundle(made)


def find_sources(given: Sequence[str], tiers: Sequence[str]) -> tuple[tuple[str, Path], ...]:
    """Return each tier's source, given one per tier in order, or one that holds them all.

    A single source is a folder with a run folder or bundle for every tier (``build/base``), a
    bundle with these tiers, or the prefix of shipped names (``kathleen`` for ``kathleen-base``).
    Raises `ExportError`, and `UnknownBundleError` for a name that is not shipped.
    """
    for tier in tiers:
        check_tier(tier)
    if not tiers or len(set(tiers)) != len(tiers):
        raise ExportError(f"--tiers: give each tier once, as in base,nano; got {','.join(tiers)!r}")
    if len(given) == len(tiers) > 1:
        return tuple(zip(tiers, map(find_bundle, given), strict=True))
    if len(given) != 1:
        raise ExportError(
            f"--tiers names {len(tiers)} tiers and there are {len(given)} sources: give one for "
            "each, in the same order, or one that holds them all"
        )
    return tuple((tier, _within(given[0], tier)) for tier in tiers)


def _within(source: str, tier: str) -> Path:
    """Return the location of ``tier`` within the single source."""
    place = Path(source)
    if place.is_dir() and not (place / SUMMARY).exists():
        found = (each for each in (place / tier, place / f"{tier}.evc") if each.exists())
        inside = next(found, None)
        if inside is None:
            raise ExportError(f"{place}: holds no run folder {tier} and no {tier}.evc")
        return inside
    shipped = bundle_names()
    known = place.exists() or source in shipped
    if not known and any(name.startswith(f"{source}-") for name in shipped):
        return bundle_path(f"{source}-{tier}")
    place = find_bundle(source)
    if place.suffix != ".evc":
        raise ExportError(f"{place}: is one student; give a source for each tier")
    if tier not in (have := read_bundle(place).manifest.tier_names):
        raise ExportError(f"{place}: has no tier {tier!r:.40}, only {', '.join(have)}")
    return place


def _voice(tiers: dict[str, Bundle]) -> str:
    """Return the first bundle's name without its tier."""
    tier, bundle = next(iter(tiers.items()))
    return bundle.manifest.name.removesuffix(f"-{tier}")
