"""Every verb, given names that no file has and that no terminal should show as they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from test_host_verbs import MISSING, invoke

NAMES = {
    "no UTF-8": os.fsdecode(b"Gr\xf6\xdfe"),
    "line feed": "one\ntwo: error: forged",
    "escape": "\x1b[2J\x1b]0;forged\x07",
    "right to left": "\u202egnp.evc",
    "emoji": "\U0001f3a4 voice",
    "very long": "n" * 300,
    "deep": "n/" * 2500 + "n",
    "half of a pair": "\ud83c",
}
QUICK = ("no UTF-8", "line feed", "escape", "half of a pair")
LEADING = "-leading"


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(QUICK, id="some"),
        pytest.param(tuple(NAMES), id="all", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("verb", MISSING)
def test_a_name_of_any_kind_is_one_printable_line(
    verb: str, kinds: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind in kinds:
        name = NAMES[kind]
        words = [name + word[4:] if word.startswith("none") else word for word in MISSING[verb]]
        done = invoke(verb, *words)
        where = f"{kind}: {done.stderr!r:.300}"
        assert done.exit_code == 2, where
        assert done.stdout == "", where
        lines = done.stderr.splitlines()
        assert len(lines) == 1, where
        assert lines[0].isprintable(), where
        assert lines[0].startswith(f"edge-vc {verb}: error: "), where
        assert "cannot go on" not in lines[0], where
        assert "Traceback" not in lines[0], where
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["inspect", "run", "verify", "report", "label", "sign", "export"])
def test_a_name_with_a_leading_dash_is_taken_after_two_dashes(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = MISSING[verb]
    options = [] if verb == "run" else given[1:]
    rest = given[1:] if verb == "run" else []
    done = invoke(verb, *options, "--", LEADING, *rest)
    assert done.exit_code == 2
    assert f"{LEADING}: " in done.stderr
    assert done.stderr.count("\n") == 1
