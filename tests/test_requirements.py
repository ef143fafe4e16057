"""Pins, their hashes and the page of licences agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
FILES = ["host.txt", "runtime.txt"]


def pins(text: str) -> list[tuple[str, str]]:
    return [(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in PIN.findall(text)]


PINNED = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))


def test_every_pin_stands_once() -> None:
    assert len(PINNED) > 100
    assert len({name for name, _ in PINNED}) == len(PINNED)


def test_the_host_has_every_pin() -> None:
    assert sorted(pins((ROOT / "requirements" / "host.txt").read_text("utf-8"))) == sorted(PINNED)


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert set(pins(text)) <= set(PINNED)
    for entry in re.split(r"\n(?=[A-Za-z])", text.split("\n", 2)[2]):
        head, *hashes = entry.replace("\\", "").split()
        assert PIN.fullmatch(head), head
        assert hashes, f"{head} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", found) for found in hashes)


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
    asking = page.partition("## Licences with conditions")[2].partition("## Without")[0]
    for name in ("soxr", "soundfile", "espeakng-loader"):
        assert f"**{name}**" in asking
