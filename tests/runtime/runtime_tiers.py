"""A small bundle of two tiers: delay lines that differ in delay and gain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runtime_bundles import listed, mini_contents, write_bundle

from edge_vc_runtime.bundle.entries import Golden
from edge_vc_runtime.bundle.manifest import TIERED_VERSION, Manifest
from edge_vc_runtime.bundle.tier_entry import TierEntry

BASE_DELAY, NANO_DELAY = 320, 160


def tiered_contents() -> tuple[Manifest, dict[str, bytes]]:
    """A manifest of the tiers ``base`` (the default) and ``nano``, and the files it lists."""
    base, files = mini_contents(delay=BASE_DELAY)
    nano, others = mini_contents(delay=NANO_DELAY)
    called = {name: name.replace(".", ".nano.", 1) for name in others}
    files |= {called[name]: data for name, data in others.items()}
    assert nano.golden is not None
    tier = TierEntry(
        name="nano",
        delay=nano.delay,
        states=nano.states,
        models=tuple(replace(model, file=called[model.file]) for model in nano.models),
        default=called[nano.default],
        golden=Golden(called[nano.golden.file], nano.golden.tolerance),
        metrics={"parameters": 1.0},
    )
    manifest = replace(
        base,
        models=tuple(replace(model, tier="base", macs_per_second=32000.0) for model in base.models),
        tiers=(tier,),
        format_version=TIERED_VERSION,
    )
    return listed(manifest, files), files


def write_tiered(path: Path) -> Path:
    """Write it and return its path."""
    return write_bundle(path, *tiered_contents())
