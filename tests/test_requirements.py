"""Pins, their hashes and the page of licences agree."""

from __future__ import annotations

import importlib.util
import re
from email.message import Message
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
FILES = ["host.txt", "runtime.txt"]
Lines = list[tuple[str, str]]
"""Fields of a package's metadata."""


def pins(text: str) -> list[tuple[str, str]]:
    return [(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in PIN.findall(text)]


PINNED = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))


def test_every_pin_stands_once() -> None:
    assert len(PINNED) > 100
    assert len({name for name, _ in PINNED}) == len(PINNED)


def test_the_host_has_every_pin() -> None:
    assert sorted(pins((ROOT / "requirements" / "host.txt").read_text("utf-8"))) == sorted(PINNED)


def check_hashes(text: str) -> None:
    assert set(pins(text)) <= set(PINNED)
    for entry in re.split(r"\n(?=[A-Za-z])", text.split("\n", 2)[2]):
        head, *hashes = entry.replace("\\", "").split()
        assert PIN.fullmatch(head), head
        assert hashes, f"{head} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", found) for found in hashes)


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    check_hashes((ROOT / "requirements" / name).read_text(encoding="utf-8"))


HASH = "    --hash=sha256:"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (rf"(\nnumpy==\S+ \\\n)({HASH}\w+( \\)?\n)+", r"\1"),
        (rf"(\nnumpy==\S+) \\\n({HASH}\w+( \\)?\n)+", r"\1\n"),
        (r"\nnumpy==\S+", r"\nnumpy==0.0.1"),
        (r"\nnumpy==", r"\nnumpy>="),
        (r"sha256:\w", r"sha256:"),
        (r"sha256:\w{64}", r"md5:0123456789abcdef0123456789abcdef"),
        (r"\Z", r"stranger==1.0 \\\n    --hash=sha256:" + "0" * 64 + r"\n"),
    ],
    ids=["no hash", "no hash, no line", "another version", "a range", "short", "md5", "no pin"],
)
def test_a_file_out_of_step_is_noticed(before: str, after: str) -> None:
    text = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    spoiled = re.sub(before, after, text, count=1)
    assert spoiled != text
    with pytest.raises(AssertionError):
        check_hashes(spoiled)


def needed(names: set[str]) -> set[str]:
    """Return packages and all that they need here; those not installed need nothing."""
    found: set[str] = set()
    while names:
        name = canonicalize_name(names.pop())
        found.add(name)
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            continue
        asked = [Requirement(line) for line in lines]
        names |= {
            canonicalize_name(each.name)
            for each in asked
            if each.marker is None or each.marker.evaluate({"extra": ""})
        } - found
    return found


def test_the_runtime_s_file_is_complete() -> None:
    """pip refuses a file with hashes that lacks what one of its packages needs."""
    asked = script("requirements/lock.py").runtime_requirements()
    listed = {name for name, _ in pins((ROOT / "requirements" / "runtime.txt").read_text("utf-8"))}
    assert needed({Requirement(line).name for line in asked}) - listed == set()


def script(path: str) -> ModuleType:
    """Load a script of the repository."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        ([], ""),
        ([("License", "UNKNOWN")], ""),
        ([("License", "MIT License\n\nCopyright (c) somebody")], ""),
        ([("Classifier", "License :: OSI Approved")], ""),
        ([("License", "LGPL-2.1")], "LGPL-2.1"),
        ([("Classifier", "License :: OSI Approved :: MIT License"), ("License", "UNKNOWN")], "MIT "
         "License"),
        ([("License-Expression", "MIT OR GPL-3.0-only"), ("License", "x")], "MIT OR GPL-3.0-only"),
    ],
    ids=["none", "unknown", "whole text", "no name", "text", "classifier", "expression"],
)  # fmt: skip
def test_what_a_package_s_metadata_say(
    lines: Lines, licence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pretending({"numpy": lines}, monkeypatch).licence_of("numpy") == licence


def pretending(stated: dict[str, Lines], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script of the page of licences, for which packages have other metadata."""
    pages, fakes = script("docs/licences.py"), {}
    for name, lines in stated.items():
        said = Message()
        for key, value in lines:
            said[key] = value
        fakes[name] = SimpleNamespace(metadata=said, files=[])
    known = pages._installed
    monkeypatch.setattr(pages, "_installed", lambda name: fakes.get(name) or known(name))
    return pages


def test_the_page_sorts_packages_by_what_their_metadata_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stated: dict[str, Lines] = {
        "numpy": [], "rich": [("License-Expression", "MIT OR GPL-3.0-only")]
    }  # fmt: skip
    pages = pretending(stated, monkeypatch)
    page = pages.licence_page()
    unnamed = page.partition("## Without a licence")[2].partition("## All")[0]
    asking = page.partition("## Licences with conditions")[2].partition("## Without")[0]
    assert "**numpy** (and no licence file)" in unnamed
    assert "**numpy**" not in asking
    assert "**rich**: MIT OR GPL-3.0-only" in asking
    assert re.search(r"\| numpy \| \S+ \| not named \|", page)


@pytest.mark.parametrize("name", FILES)
def test_no_address_is_written_down(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "-index" not in text
    assert "find-links" not in text


def test_the_runtime_brings_its_engines_and_no_torch() -> None:
    names = {name for name, _ in pins((ROOT / "requirements" / "runtime.txt").read_text("utf-8"))}
    assert {"numpy", "onnxruntime", "ai-edge-litert", "soundfile", "soxr"} <= names
    assert "torch" not in names


def test_the_page_of_licences_has_every_pin() -> None:
    page = (ROOT / "docs" / "reference" / "licences.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) \| (\S+) \| ([^|]+) \|", page, re.MULTILINE)
    listed = {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version, _ in rows}
    assert set(PINNED) <= listed
    assert all(licence.strip() for _, _, licence in rows)
    unnamed = page.partition("## Without a licence")[2].partition("## All")[0]
    for name, _, licence in rows:
        assert (f"**{name}**" in unnamed) == licence.strip().startswith("not ")
    asking = page.partition("## Licences with conditions")[2].partition("## Without")[0]
    for name in ("soxr", "soundfile", "espeakng-loader"):
        assert f"**{name}**" in asking
