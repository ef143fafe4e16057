"""The page of promises: every test that it names exists, under the marker that it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "concepts" / "guarantees.md"
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")
FILES = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}


def markers_by_test(path: Path) -> dict[str, set[str]]:
    """Return the markers of each test in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    common = {
        marker
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for marker in markers(node.value)
    }
    return {
        node.name: common | {marker for one in node.decorator_list for marker in markers(one)}
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def markers(node: ast.AST) -> set[str]:
    return set(re.findall(r"pytest\.mark\.(\w+)", ast.unparse(node)))


def rows() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the last column of each promise, and its tests."""
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith(("| promise", "| ---")):
            found.append((line.strip("| ").rpartition("|")[2], NAMED.findall(line)))
    return found


def test_every_promise_names_a_test() -> None:
    assert len(rows()) > 30
    assert all(tests for _, tests in rows())


def test_every_named_test_exists() -> None:
    for file, test in NAMED.findall(PAGE.read_text(encoding="utf-8")):
        assert file in FILES, f"{file} is not there"
        assert test in markers_by_test(FILES[file]), f"{file} has no {test}"


def test_the_page_says_which_tests_do_not_run_by_default() -> None:
    for last, tests in rows():
        for file, test in tests:
            for marker in ("slow", "live", "emulated"):
                marked = marker in markers_by_test(FILES[file])[test]
                assert not marked or f"{marker} test" in last, f"{test} is marked {marker}"
