"""Bundles of several tiers: read strictly, opened, checked and measured tier by tier."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from runtime_bundles import mini_contents, write_bundle, write_mini
from runtime_tiers import BASE_DELAY, NANO_DELAY, tiered_contents, write_tiered

from edge_vc_runtime import ProfileOptions, Session, profile, read_bundle
from edge_vc_runtime.bundle.manifest import BundleError, Manifest
from edge_vc_runtime.cli import main
from edge_vc_runtime.engines.measurement import blank_measurement
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.tiers.tiers import TieredConverter


@pytest.fixture
def tiered(tmp_path: Path) -> Path:
    return write_tiered(tmp_path / "tiered.evc")


def changed(change: Callable[[dict[str, Any]], object]) -> Manifest:
    """Read the manifest as ``change`` edits it, with a digest that is right again."""
    document = json.loads(tiered_contents()[0].to_json())
    change(document)
    document["digest"] = "0" * 64
    blank = json.dumps(document).encode()
    digest = hashlib.sha256(blank).hexdigest().encode()
    return Manifest.from_json(blank.replace(b"0" * 64, digest, 1))


def test_a_manifest_reads_back_what_was_written() -> None:
    manifest = tiered_contents()[0]
    again = Manifest.from_json(manifest.to_json())
    assert again.to_json() == manifest.to_json()
    assert again.tier_names == ("base", "nano")
    assert json.loads(manifest.to_json())["format_version"] == 2


def test_a_bundle_of_one_student_is_written_as_ever() -> None:
    document = json.loads(mini_contents()[0].to_json())
    assert document["format_version"] == 1
    assert "tiers" not in document


def test_a_tier_looks_like_a_bundle_of_its_own(tiered: Path) -> None:
    bundle = read_bundle(tiered)
    default, nano = bundle.tier(), bundle.tier("nano")
    assert (default.manifest.delay, nano.manifest.delay) == (BASE_DELAY, NANO_DELAY)
    assert nano.manifest.default == "model.nano.fp32.onnx"
    assert nano.manifest.tier_names == ("nano",)
    assert nano.tier("nano").manifest == nano.manifest
    assert nano.golden()["input"].size
    assert (nano.content, nano.signature) == (bundle.content, bundle.signature)
    with pytest.raises(
        BundleError, match=r"tiered\.evc: mini: has no tier 'wide', only base, nano"
    ):
        bundle.tier("wide")
    alone = mini_contents()[0]
    assert alone.tier() is alone
    assert alone.tier("nano") is alone


def test_sessions_open_the_tier_that_is_asked_for(tiered: Path) -> None:
    sessions = {name: Session.open(tiered, tier=name) for name in (None, "base", "nano")}
    assert [s.delay for s in sessions.values()] == [BASE_DELAY, BASE_DELAY, NANO_DELAY]
    assert [s.model.tier for s in sessions.values()] == ["base", "base", "nano"]
    audio = np.random.default_rng(0).normal(0, 0.1, (10, 160)).astype(np.float32)
    made = np.concatenate([sessions["nano"].step(hop).copy() for hop in audio])
    np.testing.assert_allclose(made[NANO_DELAY:], audio.ravel()[:-NANO_DELAY], atol=1e-6)
    with pytest.raises(BundleError, match="no tier 'wide'"):
        Session.open(tiered, tier="wide")


def test_a_converter_moves_between_the_tiers_of_a_bundle(tiered: Path) -> None:
    names = read_bundle(tiered).manifest.tier_names
    converter = TieredConverter([Session.open(tiered, tier=name) for name in names])
    audio = np.random.default_rng(0).normal(0, 0.1, (200, 160)).astype(np.float32)
    converter.select("nano")
    made = np.concatenate([converter.step(hop).copy() for hop in audio])
    assert converter.tier == "nano"
    np.testing.assert_allclose(made[BASE_DELAY:], audio.ravel()[:-BASE_DELAY], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda d: d.update(format_version=1), "tiers is not a known key"),
        (lambda d: d.update(tiers=[]), "tiers is empty"),
        (lambda d: d.pop("tiers"), "tiers is missing"),
        (lambda d: d.update(tiers=d["tiers"] * 8), "a list of at most 7"),
        (lambda d: d.update(tiers=d["tiers"] * 2), "tiers are base, nano, nano, a name is there"),
        (lambda d: d["tiers"][0].update(name="base"), "a name is there twice"),
        (lambda d: d["tiers"][0].update(name="wide"), "wide holds 'model.nano.int8.onnx' of tier"),
        (lambda d: d["tiers"][0].update(name="../x"), "tiers[0].name is '../x'"),
        (lambda d: d["tiers"][0].update(delay=-1), "tiers[0].delay is -1"),
        (lambda d: d["tiers"][0].update(surprise=1), "tiers[0].surprise is not a known key"),
        (lambda d: d["tiers"][0].pop("golden"), "tiers[0].golden is missing"),
        (lambda d: d["tiers"][0].update(default="x.onnx"), "tiers: nano: default is 'x.onnx'"),
        (lambda d: d["tiers"][0].update(models=[]), "tiers: nano: default is"),
        (lambda d: d["files"].pop("golden.nano.npz"), "does not list 'golden.nano.npz'"),
        (lambda d: d["tiers"][0]["states"].append(d["tiers"][0]["states"][0]), "has a name twice"),
        (lambda d: d["models"][0].update(tier="nano"), "models are of several tiers"),
    ],
)
def test_what_a_tier_may_not_say(change: Callable[[dict[str, Any]], object], fact: str) -> None:
    with pytest.raises(BundleError, match=r"^manifest\.json: ") as caught:
        changed(change)
    assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_may_be_shared_between_tiers(tmp_path: Path) -> None:
    manifest, files = tiered_contents()
    (nano,) = manifest.tiers
    shared = replace(nano, golden=manifest.golden)
    files.pop("golden.nano.npz")
    listed = {name: entry for name, entry in manifest.files.items() if name in files}
    path = write_bundle(
        tmp_path / "shared.evc", replace(manifest, tiers=(shared,), files=listed), files
    )
    assert read_bundle(path).tier("nano").golden()["input"].size


def test_goldens_of_all_tiers_are_replayed(tiered: Path) -> None:
    replays = replay_golden(read_bundle(tiered), "onnx")
    assert {(r.tier, r.precision) for r in replays} == {
        ("base", "fp32"), ("base", "int8"), ("nano", "fp32"), ("nano", "int8")
    }  # fmt: skip
    assert all(replay.equal for replay in replays)


def test_what_was_measured_of_one_tier_is_not_taken_for_another(tiered: Path) -> None:
    bundle = read_bundle(tiered)
    digests = {blank_measurement(bundle.tier(n).manifest, 1).digest for n in ("base", "nano")}
    assert len(digests) == 2


def test_a_profile_is_of_the_tier_that_is_named(tiered: Path) -> None:
    options = ProfileOptions(engine="onnx", tier="nano", modes=("tight",), seconds=0.1, ops=False)
    made = profile(tiered, options)
    assert (made.subject.tier, made.subject.delay) == ("nano", NANO_DELAY)
    assert made.cold_start is not None


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_commands_know_tiers(
    tiered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "inspect", str(tiered), "--check")
    assert code == 0
    for line in ("tier base (default)", "tier nano", "nano: engine onnx", "golden nano fp32 onnx"):
        assert line in out
    code, out, _ = run(capsys, "choose", str(tiered), "--seconds", "0.01")
    assert (code, out.count("kept in")) == (0, 2)
    code, out, _ = run(capsys, "choose", str(tiered), "--seconds", "0.01", "--tier", "nano")
    assert (code, out.count("kept in")) == (0, 1)
    raw = tmp_path / "in.raw.wav"

    soundfile.write(raw, np.zeros(1600, np.float32), 16000)
    code, _, err = run(
        capsys, "run", str(tiered), str(raw), str(tmp_path / "o.wav"), "--tier", "nano"
    )
    assert code == 0
    assert "model.nano.fp32.onnx" in err
    code, _, err = run(capsys, "run", str(tiered), str(raw), str(tmp_path / "o.wav"), "--tier", "x")
    assert (code, "has no tier 'x'" in err) == (2, True)


def test_a_plain_bundle_shows_no_tiers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "inspect", str(write_mini(tmp_path / "mini.evc")), "--check")
    assert code == 0
    assert "tier" not in out
