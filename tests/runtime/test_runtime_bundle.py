"""Bundles that must be refused, each in one line that says what and where."""

from __future__ import annotations

import hashlib
import json
import random
import tarfile
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import archive, listed, member, mini_contents

from edge_vc_runtime import __version__
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.bundle.reader import BundleError, read_bundle


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(BundleError) as caught:
        read_bundle(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert list(path.parent.iterdir()) == [path]
    return line


def parts() -> tuple[bytes, list[bytes]]:
    manifest, files = mini_contents()
    first = member("manifest.json", manifest.to_json())
    return first, [member(n, d) for n, d in files.items()]


def test_good_bundle_gives_its_files(mini: Path) -> None:
    manifest, files = mini_contents()
    bundle = read_bundle(mini)
    assert bundle.manifest == manifest
    assert {name: bundle.read(name) for name in files} == files
    assert bundle.golden()["input"].dtype == np.float32
    assert manifest.algorithmic_ms == 20.0


def test_signature_has_its_place(tmp_path: Path) -> None:
    first, rest = parts()
    path = tmp_path / "a.evc"
    path.write_bytes(archive(first, member("manifest.sig", b"sig"), *rest))
    assert read_bundle(path).manifest.name == "mini"
    late = refused(path, archive(first, *rest, member("manifest.sig", b"sig")))
    assert "manifest.sig has to follow manifest.json" in late


def test_every_flipped_byte_is_seen(tmp_path: Path) -> None:
    first, rest = parts()
    data = archive(first, *rest)
    dice = random.Random(0)
    path = tmp_path / "a.evc"
    for position in sorted(dice.sample(range(len(data)), 300)) + list(range(512)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << dice.randrange(8)
        refused(path, bytes(flipped))


def test_every_cut_is_seen(tmp_path: Path) -> None:
    first, rest = parts()
    data = archive(first, *rest)
    dice = random.Random(1)
    for size in [0, 1, 511, 512, 700, len(data) - 1, *dice.sample(range(len(data)), 60)]:
        refused(tmp_path / "a.evc", data[:size])
    assert "after its end" in refused(tmp_path / "a.evc", data + b"\0")


@pytest.mark.parametrize(
    ("entry", "fact"),
    [
        (member("../evil", b"x"), "'../evil' is not a plain file name"),
        (member("/etc/evil", b"x"), "'/etc/evil' is not a plain file name"),
        (member("sub/file", b"x"), "'sub/file' is not a plain file name"),
        (member("link", kind=tarfile.SYMTYPE), "'link' is a symbolic link"),
        (member("link", kind=tarfile.LNKTYPE), "'link' is a hard link"),
        (member("null", kind=tarfile.CHRTYPE), "'null' is a device"),
        (member("disk", kind=tarfile.BLKTYPE), "'disk' is a device"),
        (member("pipe", kind=tarfile.FIFOTYPE), "'pipe' is a pipe"),
        (member("folder", kind=tarfile.DIRTYPE), "'folder/' is a folder"),
        (member("long", kind=tarfile.XHDTYPE), "'long' is a special entry"),
        (member("extra.py", b"x"), "'extra.py' is not listed"),
        (member("golden.npz", b"x"), "'golden.npz' is there twice"),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
def test_foreign_entry(tmp_path: Path, entry: bytes, fact: str) -> None:
    first, rest = parts()
    assert fact in refused(tmp_path / "a.evc", archive(first, *rest, entry))


def test_missing_file(tmp_path: Path) -> None:
    first, rest = parts()
    line = refused(tmp_path / "a.evc", archive(first, *rest[1:]))
    assert "'model.int8.onnx' is listed but missing" in line


def test_manifest_comes_first(tmp_path: Path) -> None:
    first, rest = parts()
    line = refused(tmp_path / "a.evc", archive(*rest, first))
    assert "begins with 'model.int8.onnx', a bundle begins with manifest.json" in line
    assert "empty archive" in refused(tmp_path / "a.evc", archive())


def test_size_that_disagrees(tmp_path: Path) -> None:
    manifest, files = mini_contents()
    first = member("manifest.json", manifest.to_json())
    files["golden.npz"] += b"x"
    line = refused(tmp_path / "a.evc", archive(first, *(member(n, d) for n, d in files.items())))
    assert "golden.npz" in line
    assert "manifest.json says" in line


def test_manifest_over_its_limit(tmp_path: Path) -> None:
    data = archive(member("manifest.json", b" " * ((1 << 20) + 1)))
    assert "at most 1048576 are allowed" in refused(tmp_path / "a.evc", data)


def test_not_an_archive(tmp_path: Path) -> None:
    assert "no ustar archive" in refused(tmp_path / "a.evc", b"RIFF" * 400)
    with pytest.raises(BundleError, match="No such file"):
        read_bundle(tmp_path / "none.evc")
    with pytest.raises(BundleError, match="is not a file"):
        read_bundle(tmp_path)


def edited(**changes: object) -> bytes:
    """A manifest with other values and a digest that is right again."""
    manifest, files = mini_contents()
    document = json.loads(listed(manifest, files).to_json()) | changes
    document["digest"] = "0" * 64
    blank = json.dumps(document).encode()
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"format_version": 4}, f"format_version is 4, runtime {__version__} reads up to 3"),
        ({"format_version": True}, "format_version is true"),
        ({"surprise": 1}, "surprise is not a known key"),
        ({"hop": 0}, "hop is 0, it has to be an integer from 1"),
        ({"hop": "160"}, "hop is "),
        ({"hop": 20000}, "hop is 20000 samples, more than one second"),
        ({"sample_rate": 10**9}, "sample_rate is 1000000000"),
        ({"delay": -1}, "delay is -1"),
        ({"name": "a\nb"}, "name is 'a\\nb'"),
        ({"default": "other.onnx"}, "default is 'other.onnx'"),
        ({"models": []}, "models has none"),
        ({"states": [{"name": "a", "shape": [0], "dtype": "float32"}]}, "size 0"),
        ({"states": [{"name": "a", "shape": [1], "dtype": "int8"}]}, "states[0].dtype is 'int8'"),
        (
            {"golden": {"file": "nowhere.npz", "tolerance": {"fp32": 0}}},
            "does not list 'nowhere.npz'",
        ),
        ({"metrics": {"similarity": "high"}}, "metrics.similarity is 'high'"),
        ({"boards": []}, "boards has to be a list"),
        ({"files": {"../x": {"sha256": "0" * 64, "size": 1}}}, "../x"),
        ({"licence": None}, "licence is null"),
        ({"provenance": 3}, "provenance is 3"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_manifest_value(change: dict[str, object], fact: str) -> None:
    with pytest.raises(BundleError) as caught:
        Manifest.from_json(edited(**change))
    line = str(caught.value)
    assert line.startswith("manifest.json: ")
    assert fact in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b"", "is not JSON"),
        (b"[]", "a list where an object belongs"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "is not JSON"),
        (b'{"format_version": 1}', "digest is missing"),
        (b" " * (1 << 20) + b"{}", "at most 1048576"),
    ],
    ids=["empty", "list", "utf8", "deep", "twice", "nan", "huge-number", "bare", "large"],
)
def test_manifest_text(data: bytes, fact: str) -> None:
    with pytest.raises(BundleError, match=fact):
        Manifest.from_json(data)


def test_edited_by_hand() -> None:
    manifest, _ = mini_contents()
    with pytest.raises(BundleError, match="does not match its own digest"):
        Manifest.from_json(manifest.to_json().replace(b"CC0-1.0", b"CC0-2.0"))


def test_same_manifest_same_bytes() -> None:
    assert mini_contents()[0].to_json() == mini_contents()[0].to_json()
    assert edited() != edited(hop=80)


def test_changed_after_opening(tmp_path: Path) -> None:
    first, rest = parts()
    path = tmp_path / "a.evc"
    data = archive(first, *rest)
    path.write_bytes(data)
    bundle = read_bundle(path)
    where = bundle.members["golden.npz"].offset
    path.write_bytes(data[:where] + b"?" + data[where + 1 :])
    with pytest.raises(BundleError, match=r"golden\.npz: damaged"):
        bundle.read("golden.npz")
    with pytest.raises(BundleError, match="'other' is not in the bundle"):
        bundle.read("other")
