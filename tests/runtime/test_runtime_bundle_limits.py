"""Every limit of a bundle's archive, at its last allowed value and one beyond."""

from __future__ import annotations

import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime_bundles import archive, listed, member, mini_contents

from edge_vc_runtime.bundle.entries import FileEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.bundle.reader import Bundle, BundleError, read_bundle

KIB = 1 << 10


def opened(path: Path, data: bytes) -> Bundle:
    path.write_bytes(data)
    return read_bundle(path)


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(BundleError) as caught:
        read_bundle(path)
    return str(caught.value).removeprefix(f"{path}: ")


def whole(manifest: Manifest, files: dict[str, bytes], *after: bytes) -> bytes:
    first = member("manifest.json", manifest.to_json())
    return archive(first, *(member(name, data) for name, data in files.items()), *after)


def resized(entry: bytes, size: bytes) -> bytes:
    """An entry whose header states another size, with a checksum that is right again."""
    header = bytearray(entry[:512])
    header[124:136] = size.ljust(12, b"\0")
    return summed(header) + entry[512:]


def summed(header: bytearray) -> bytes:
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.evc"


# The archive.


@pytest.mark.parametrize(("count", "allowed"), [(64, True), (65, False)])
def test_number_of_members(path: Path, count: int, allowed: bool) -> None:
    manifest, files = mini_contents()
    files |= {f"extra{index}": b"x" for index in range(count - 1 - len(files))}
    data = whole(listed(manifest, files), files)
    if allowed:
        assert len(opened(path, data).members) == 64
    else:
        assert refused(path, data) == "holds more than 64 files"


@pytest.mark.parametrize("name", ["golden.npz", "manifest.json"])
def test_duplicate_names(path: Path, name: str) -> None:
    manifest, files = mini_contents()
    twin = member(name, files.get(name, manifest.to_json()))
    assert refused(path, whole(manifest, files, twin)) == f"{name!r} is there twice"


def test_size_of_a_signature(path: Path) -> None:
    manifest, files = mini_contents()
    first = member("manifest.json", manifest.to_json())
    rest = [member(name, data) for name, data in files.items()]
    largest = archive(first, member("manifest.sig", b"s" * (64 * KIB)), *rest)
    assert opened(path, largest).members["manifest.sig"].size == 65536
    line = refused(path, archive(first, member("manifest.sig", b"s" * (64 * KIB + 1)), *rest))
    assert line == "manifest.sig: 65537 bytes, at most 65536 are allowed"


def test_size_of_a_file(path: Path) -> None:
    manifest, _ = mini_contents()
    first, entry = member("manifest.json", manifest.to_json()), member("model.int8.onnx", b"x")
    line = refused(path, archive(first, resized(entry, b"%011o" % ((1 << 30) + 1))))
    assert line == "model.int8.onnx: 1073741825 bytes, at most 1073741824 are allowed"
    line = refused(path, archive(first, resized(entry, b"%011o" % (1 << 30))))
    assert line.startswith("truncated in model.int8.onnx (")


def filled(size: int) -> Manifest:
    """A manifest of exactly ``size`` bytes."""
    manifest, _ = mini_contents()
    short = replace(manifest, provenance={"note": ""})
    made = replace(manifest, provenance={"note": "n" * (size - len(short.to_json()))})
    assert len(made.to_json()) == size
    return made


def test_size_of_a_manifest(path: Path) -> None:
    _, files = mini_contents()
    largest = filled(KIB * KIB)
    assert Manifest.from_json(largest.to_json()) == largest
    assert opened(path, whole(largest, files)).manifest == largest
    beyond = filled(KIB * KIB + 1)
    line = "manifest.json: 1048577 bytes, at most 1048576 are allowed"
    assert refused(path, whole(beyond, files)) == line
    with pytest.raises(BundleError, match="at most 1048576"):
        Manifest.from_json(beyond.to_json())


@pytest.mark.parametrize("size", [b"", b"        ", b"00000000009", b"0000000000x"])
def test_size_that_is_no_number(path: Path, size: bytes) -> None:
    manifest, files = mini_contents()
    first = member("manifest.json", manifest.to_json())
    data = archive(first, resized(member("model.int8.onnx", files["model.int8.onnx"]), size))
    assert refused(path, data) == "model.int8.onnx: has no readable size"


def test_where_an_archive_is_cut(path: Path) -> None:
    manifest, files = mini_contents()
    data = whole(manifest, files)
    first = member("manifest.json", manifest.to_json())
    body = first + b"".join(member(name, content) for name, content in files.items())
    assert refused(path, b"") == "is shorter than any bundle"
    assert refused(path, data[:511]) == "is shorter than any bundle"
    assert refused(path, first) == "truncated after manifest.json"
    assert refused(path, body) == "truncated after golden.npz"
    assert (
        refused(path, data[:-1]) == f"truncated at its end ({len(data) - 1} of {len(data)} bytes)"
    )
    assert refused(path, data + b"\0") == "1 bytes after its end"
    assert refused(path, data + b"\0" * 10240) == "10240 bytes after its end"
    size = len(files["golden.npz"])
    cut = len(body) - (-size % 512) - 1
    assert refused(path, data[:cut]) == f"truncated in golden.npz ({size - 1} of {size} bytes)"
    tight = len(body) - 1
    assert refused(path, data[:tight]).startswith("truncated in golden.npz (")


def test_archives_that_end_with_a_record(path: Path) -> None:
    """An archive of a whole number of records has nothing after its two zero blocks."""
    manifest, files = mini_contents()
    for fill in range(0, 10240, 512):
        more = files | {"fill": b"f" * fill}
        data = whole(listed(manifest, more), more)
        assert len(data) % 10240 == 0
        assert opened(path, data).read("fill") == b"f" * fill


@pytest.mark.parametrize("where", [-1, -512, -1024])
def test_padding_has_to_be_zero(path: Path, where: int) -> None:
    manifest, files = mini_contents()
    data = bytearray(whole(manifest, files))
    data[where] = 1
    assert "non-zero padding after byte" in refused(path, bytes(data))
    first = member("manifest.json", manifest.to_json())
    unpadded = bytearray(first)
    assert len(manifest.to_json()) % 512, "the manifest has padding"
    for position in (len(manifest.to_json()) + 512, -1):
        broken = bytearray(unpadded)
        broken[position] = 1
        assert "non-zero padding" in refused(path, archive(bytes(broken)))


def test_old_kind_of_a_regular_file(path: Path) -> None:
    manifest, files = mini_contents()
    first = member("manifest.json", manifest.to_json())
    rest = []
    for name, content in files.items():
        entry = member(name, content)
        header = bytearray(entry[:512])
        header[156] = 0
        rest.append(summed(header) + entry[512:])
    assert set(opened(path, archive(first, *rest)).manifest.files) == set(files)


def test_names_in_two_parts(path: Path) -> None:
    manifest, files = mini_contents()
    long = member("a" * 90 + "/" + "b" * 90, b"x")
    assert "is not a plain file name" in refused(path, whole(manifest, files, long))


def test_longest_name(path: Path) -> None:
    manifest, files = mini_contents()
    files["n" * 100] = b"x"
    assert opened(path, whole(listed(manifest, files), files)).read("n" * 100) == b"x"


@pytest.mark.parametrize("letter", ["_", ".", "-", "\xe4", " "])
def test_first_letter_of_a_name(path: Path, letter: str) -> None:
    manifest, files = mini_contents()
    info = tarfile.TarInfo(f"{letter}a")
    entry = info.tobuf(tarfile.USTAR_FORMAT, "latin-1")
    assert "is not a plain file name" in refused(path, whole(manifest, files, entry))


def test_magic_of_a_later_header(path: Path) -> None:
    manifest, _ = mini_contents()
    header = bytearray(member("model.int8.onnx", b"x")[:512])
    header[257:265] = b"ustar  \0"
    first = member("manifest.json", manifest.to_json())
    line = refused(path, archive(first, summed(header) + b"x".ljust(512, b"\0")))
    assert line == f"damaged header at byte {len(first)}"
    broken = bytearray(member("model.int8.onnx", b"x"))
    broken[0] ^= 1
    line = refused(path, archive(first, bytes(broken)))
    assert line == f"damaged header at byte {len(first)}", "the checksum is wrong"


# Hashes and listing.


def test_a_hash_of_each_file_is_checked(path: Path) -> None:
    """Archive, size and manifest are right, one listed hash is not."""
    manifest, files = mini_contents()
    for name in files:
        entry = manifest.files[name]
        other = ("0" if entry.sha256[0] != "0" else "1") + entry.sha256[1:]
        changed = {**manifest.files, name: FileEntry(other, entry.size)}
        line = refused(path, whole(replace(manifest, files=changed), files))
        assert line == f"{name}: damaged, its sha256 is not the one in manifest.json"


@pytest.mark.parametrize("difference", [-1, 1])
def test_listed_size(path: Path, difference: int) -> None:
    manifest, files = mini_contents()
    entry = manifest.files["golden.npz"]
    changed = FileEntry(entry.sha256, entry.size + difference)
    broken = replace(manifest, files={**manifest.files, "golden.npz": changed})
    line = refused(path, whole(broken, files))
    assert line == (f"golden.npz: {entry.size} bytes, manifest.json says {entry.size + difference}")


def test_only_listed_files_are_read(path: Path) -> None:
    manifest, files = mini_contents()
    first = member("manifest.json", manifest.to_json())
    rest = [member(name, data) for name, data in files.items()]
    bundle = opened(path, archive(first, member("manifest.sig", b"s"), *rest))
    for name in ("manifest.json", "manifest.sig"):
        with pytest.raises(BundleError, match=f"'{name}' is not in the bundle"):
            bundle.read(name)


def test_file_that_shrank(path: Path) -> None:
    manifest, files = mini_contents()
    data = whole(manifest, files)
    bundle = opened(path, data)
    path.write_bytes(data[: bundle.members["golden.npz"].offset + 10])
    with pytest.raises(BundleError, match="became shorter while it was read"):
        bundle.read("golden.npz")


def test_paths_that_are_none() -> None:
    with pytest.raises(BundleError, match=r"^'a\\x00b': "):
        read_bundle("a\0b")


# The golden recording.


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


WAVE = np.zeros(320, np.float32)


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"no archive", "is not a plain npz file"),
        (npz(input=np.array([{}], dtype=object)), "is not a plain npz file"),
        (npz(**{"output.fp32": WAVE}), "has to hold float32 vectors of one length"),
        (npz(input=WAVE, **{"output.fp32": WAVE[1:]}), "has to hold float32 vectors"),
        (npz(input=WAVE.astype(np.float64)), "has to hold float32 vectors"),
        (npz(input=WAVE.reshape(2, 160)), "has to hold float32 vectors"),
    ],
    ids=["text", "pickle", "no input", "lengths", "float64", "two-dimensional"],
)
def test_golden_arrays(path: Path, content: bytes, fact: str) -> None:
    manifest, files = mini_contents()
    files["golden.npz"] = content
    bundle = opened(path, whole(listed(manifest, files), files))
    with pytest.raises(BundleError, match=fact) as caught:
        bundle.golden()
    assert str(caught.value).startswith(f"{path}: golden.npz: ")


def test_no_golden_recording(path: Path) -> None:
    manifest, files = mini_contents()
    bundle = opened(path, whole(replace(manifest, golden=None), files))
    with pytest.raises(BundleError, match="has no golden recording"):
        bundle.golden()


def test_a_golden_recording_of_gigabytes_is_not_unpacked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, files = mini_contents()
    out = io.BytesIO()
    np.savez_compressed(out, input=np.zeros(1 << 24, np.float32), more=np.zeros(1, np.float32))
    bomb = files | {"golden.npz": out.getvalue()}
    bundle = opened(path, whole(listed(manifest, bomb), bomb))
    assert path.stat().st_size < 1 << 20
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(BundleError, match=r"golden.npz: 67\d+ bytes of arrays, at most 67108864"):
        bundle.golden()


@pytest.mark.parametrize(("levels", "allowed"), [(60, True), (70, False)])
def test_a_manifest_is_not_nested_deeply(path: Path, levels: int, allowed: bool) -> None:
    manifest, files = mini_contents()
    nested: object = 1
    for _ in range(levels):
        nested = {"x": nested}
    data = whole(replace(manifest, provenance={"deep": nested}), files)
    if allowed:
        assert opened(path, data)
    else:
        assert "nested more than 64 levels" in refused(path, data)
