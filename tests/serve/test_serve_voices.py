"""The bundles of a server: a key for each, and for each tier of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_vc.assets import bundle_path
from edge_vc.serve.voices import ServeError, VoiceCatalogue
from edge_vc_export.bundle.merge import merge_bundles
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle

NANO = bundle_path("kathleen-nano")


def test_bundles_of_one_name_have_keys_of_their_own(tmp_path: Path) -> None:
    other = tmp_path / "kathleen-nano.evc"
    other.write_bytes(NANO.read_bytes())
    keys = [facts.key for facts in VoiceCatalogue.read([NANO, other, NANO]).facts]
    assert keys == ["kathleen-nano", "kathleen-nano (2)", "kathleen-nano (3)"]


def test_the_tiers_of_a_bundle_are_offered_one_by_one(tmp_path: Path) -> None:
    tiers = {name: read_bundle(bundle_path(f"kathleen-{name}")) for name in ("base", "nano")}
    path = merge_bundles(tmp_path / "kathleen.evc", tiers)
    catalogue = VoiceCatalogue.read([path])
    assert [(facts.key, facts.tier) for facts in catalogue.facts] == [
        ("kathleen base", "base"),
        ("kathleen nano", "nano"),
    ]
    assert catalogue.open("kathleen nano").model.tier == "nano"


def test_what_cannot_be_served_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.evc").write_bytes(b"no bundle")
    with pytest.raises(BundleError, match="bad.evc"):
        VoiceCatalogue.read([NANO, tmp_path / "bad.evc"])
    with pytest.raises(ServeError, match="1 to 16"):
        VoiceCatalogue.read([NANO] * 17)
    with pytest.raises(ServeError, match="no voice 'other'"):
        VoiceCatalogue.read([NANO]).open("other")
