"""Several students in one bundle: of runs, of student files, of bundles that exist."""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from export_toys import small_student
from typer.testing import CliRunner

from edge_vc.assets import UnknownBundleError, bundle_path
from edge_vc.models.student.file import save_student
from edge_vc_export.bundle import release as releases
from edge_vc_export.bundle.merge import merge_bundles
from edge_vc_export.cli import app
from edge_vc_export.errors import ExportError
from edge_vc_export.job import Overrides
from edge_vc_export.parity.speed import Ratio
from edge_vc_export.tiers_job import TiersJob, find_sources
from edge_vc_runtime import Session
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.tiers.tiers import TieredConverter

RECIPE = {
    "quantize": {"min_snr_db": 5.0, "max_lsd_db": 40.0, "max_drift_db": 30.0},
    "export": {
        "name": "ann", "version": "1.0", "licence": "CC0-1.0", "consent": "Ann agreed.",
        "attribution": "Ann's recordings.", "precision": "fp32", "formats": "onnx",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "PARITY_SECONDS", 2.0)
    monkeypatch.setattr(releases, "compare_precisions", lambda *_: {"onnx": Ratio(1.5, 1.5, 1.5)})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two finished runs, ``large`` and ``small``, of one voice."""
    folder = tmp_path_factory.mktemp("runs")
    for seed, name in enumerate(("large", "small")):
        (folder / name / "distill").mkdir(parents=True)
        save_student(small_student(seed), folder / name / "distill" / "student.safetensors")
        summary = {"edge_vc": "0.1.0", "status": "finished", "reason": "", "recipe": RECIPE,
                   "stages": {"distill": {}}}  # fmt: skip
        (folder / name / "run.json").write_text(json.dumps(summary))
    return folder


@pytest.fixture(scope="module")
def kathleen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two shipped bundles as one."""
    tiers = {name: read_bundle(bundle_path(f"kathleen-{name}")) for name in ("base", "nano")}
    return merge_bundles(tmp_path_factory.mktemp("kathleen") / "kathleen.evc", tiers)


def test_shipped_bundles_become_tiers_that_are_what_they_were(kathleen: Path) -> None:
    bundle = read_bundle(kathleen)
    assert (bundle.manifest.name, bundle.manifest.tier_names) == ("kathleen", ("base", "nano"))
    for tier in ("base", "nano"):
        alone, within = read_bundle(bundle_path(f"kathleen-{tier}")), bundle.tier(tier)
        for key in ("delay", "states", "metrics", "provenance", "licence", "consent"):
            assert getattr(within.manifest, key) == getattr(alone.manifest, key)
        for ours, theirs in zip(within.manifest.models, alone.manifest.models, strict=True):
            assert within.read(ours.file) == alone.read(theirs.file)
            assert replace(ours, file=theirs.file) == theirs
        assert set(within.golden()) == set(alone.golden())
    assert all(replay.equal for replay in replay_golden(bundle, "onnx"))


def test_the_default_tier_keeps_its_files_names(kathleen: Path) -> None:
    with tarfile.open(kathleen) as archive:
        names = archive.getnames()
    assert names[0] == "manifest.json"
    assert {"model.int8.onnx", "golden.npz", "model.nano.int8.onnx", "golden.nano.npz"} <= set(
        names
    )
    card = read_bundle(kathleen).read("MODEL_CARD.md").decode()
    assert "| model.nano.int8.tflite | int8 | nano |" in card
    assert card.count("## Training data") == 1


def test_the_same_bundles_give_the_same_bytes(kathleen: Path, tmp_path: Path) -> None:
    tiers = {name: read_bundle(bundle_path(f"kathleen-{name}")) for name in ("base", "nano")}
    again = merge_bundles(tmp_path / "again.evc", tiers)
    assert again.read_bytes() == kathleen.read_bytes()


def test_a_tier_taken_out_is_a_bundle_of_one_student(kathleen: Path, tmp_path: Path) -> None:
    (tier,) = find_sources([str(kathleen)], ["nano"])
    path = TiersJob((tier,), Overrides()).run(tmp_path / "nano.evc")
    taken, shipped = read_bundle(path), read_bundle(bundle_path("kathleen-nano"))
    assert json.loads(taken.manifest.to_json())["format_version"] == 1
    assert [m.file for m in taken.manifest.models] == [m.file for m in shipped.manifest.models]
    hashes = {entry.sha256 for name, entry in taken.manifest.files.items() if "model." in name}
    assert hashes == {e.sha256 for n, e in shipped.manifest.files.items() if "model." in n}


def test_equal_files_are_stored_once(tmp_path: Path) -> None:
    nano = read_bundle(bundle_path("kathleen-nano"))
    path = merge_bundles(tmp_path / "twins.evc", {"one": nano, "two": nano}, name="twins")
    assert path.stat().st_size < 1.02 * bundle_path("kathleen-nano").stat().st_size
    assert read_bundle(path).tier("two").manifest.default == nano.manifest.default
    assert Session.open(path, tier="two").model.tier == "two"


def test_the_tiers_of_a_bundle_run_in_one_converter(kathleen: Path) -> None:
    sessions = [Session.open(kathleen, tier=name) for name in ("nano", "base")]
    assert TieredConverter(sessions).tiers == ("base", "nano")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hop", 80),
        ("sample_rate", 24000),
        ("licence", "MIT"),
        ("consent", "Somebody else agreed."),
        ("boards", ("pi5",)),
    ],
)
def test_students_that_do_not_belong_together_are_refused(
    key: str, value: object, tmp_path: Path
) -> None:
    base, nano = (read_bundle(bundle_path(f"kathleen-{name}")) for name in ("base", "nano"))
    other: Bundle = replace(nano, manifest=replace(nano.manifest, **{key: value}))
    with pytest.raises(ExportError, match=rf"^{key} is .* in base and .* in nano; tiers of"):
        merge_bundles(tmp_path / "x.evc", {"base": base, "nano": other})
    assert not list(tmp_path.iterdir())


def test_runs_and_bundles_become_one_bundle(runs: Path, tmp_path: Path) -> None:
    job = TiersJob(find_sources([str(runs)], ["large", "small"]), Overrides(version="2.0"))
    path = job.run(tmp_path / "ann.evc")
    bundle = read_bundle(path)
    assert (bundle.manifest.name, bundle.manifest.version) == ("ann", "2.0")
    assert bundle.manifest.tier_names == ("large", "small")
    assert {m.tier for m in bundle.tier("small").manifest.models} == {"small"}
    assert bundle.tier("small").manifest.provenance == {"recipe": RECIPE}
    assert all(replay.equal for replay in replay_golden(bundle, "onnx"))


def test_a_bundle_of_tiers_written_anew_keeps_them(kathleen: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.evc"
    result = CliRunner().invoke(app, [str(kathleen), "-o", str(again)])
    assert result.exit_code == 0, result.output
    assert again.read_bytes() == kathleen.read_bytes()


def test_the_command_packs_shipped_bundles(tmp_path: Path, kathleen: Path) -> None:
    for words in (["kathleen"], ["kathleen-base", "kathleen-nano"]):
        path = tmp_path / "made.evc"
        result = CliRunner().invoke(app, [*words, "--tiers", "base,nano", "-o", str(path)])
        assert result.exit_code == 0, result.output
        assert result.stdout == f"{path}\n"
        assert path.read_bytes() == kathleen.read_bytes()


@pytest.mark.parametrize(
    ("given", "tiers", "fact"),
    [
        (["a.evc", "b.evc", "c.evc"], ["base", "nano"], "names 2 tiers and there are 3 sources"),
        (["kathleen"], ["base", "base"], "give each tier once"),
        (["a.evc", "b.evc"], ["base", "../../evil"], "tier is '../../evil'"),
        (["kathleen"], [], "give each tier once"),
        (["kathleen"], ["base", "wide"], "kathleen-wide: no such file or shipped bundle"),
        (["kathleen-base"], ["base", "nano"], "has no tier 'nano', only base"),
    ],
)
def test_sources_that_do_not_fit_the_tiers(given: list[str], tiers: list[str], fact: str) -> None:
    with pytest.raises((ExportError, UnknownBundleError), match=fact):
        find_sources(given, tiers)


def test_a_folder_has_to_hold_every_tier(runs: Path) -> None:
    assert find_sources([str(runs)], ["small"]) == (("small", runs / "small"),)
    with pytest.raises(ExportError, match=r"holds no run folder wide and no wide\.evc"):
        find_sources([str(runs)], ["small", "wide"])
    with pytest.raises(ExportError, match="is one student; give a source for each tier"):
        find_sources([str(runs / "small")], ["small", "wide"])


def test_a_bundle_keeps_its_own_facts(tmp_path: Path) -> None:
    job = TiersJob(find_sources(["kathleen"], ["base", "nano"]), Overrides(licence="MIT"))
    with pytest.raises(ExportError, match="--licence: .* keeps its own facts"):
        job.run(tmp_path / "x.evc")


def test_shipped_bundles_are_unchanged() -> None:
    """A reader and writer that know tiers leave a manifest of one student as it was."""
    for name in ("kathleen-base", "kathleen-nano"):
        bundle = read_bundle(bundle_path(name))
        assert hashlib.sha256(bundle.manifest.to_json()).digest() == (
            hashlib.sha256(bundle.content).digest()
        )
