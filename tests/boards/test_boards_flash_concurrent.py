"""Two flashes of one board at a time: neither loses or removes what the other has brought."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_vc_boards.flash.remote_scripts import ScriptName, script_words

AT_ONCE = 8
Script = subprocess.Popen[str]


def start(
    name: ScriptName, words: Sequence[str | Path], data: bytes = b""
) -> subprocess.Popen[str]:
    """Start a script as a connection of its own would."""
    command = script_words(name, [str(word) for word in words])
    pipe = subprocess.PIPE
    made = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert made.stdin is not None
    made.stdin.write(data.decode())
    made.stdin.close()
    made.stdin = None
    return made


def wait(started: Sequence[Script]) -> list[tuple[int, str]]:
    """Return how each has ended and what it said."""
    return [(each.wait(), "".join(each.communicate())) for each in started]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An installation whose installer takes every bundle."""
    program = tmp_path / "venvs/own/bin/edge-vc-rt"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\ncat "$2" && echo \'{"changed": true}\'\n')
    program.chmod(0o755)
    (tmp_path / "venvs/own/.complete").touch()
    for name in ("incoming", "wheels", "current"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_wheels_that_arrive_together_are_all_listed(tmp_path: Path) -> None:
    sums = {f"w{n}.whl": hashlib.sha256(b"%d" % n).hexdigest() for n in range(AT_ONCE)}
    folder = tmp_path / "root/wheels"
    started = [
        start("receive", [folder, name, sum], b"%d" % n)
        for n, (name, sum) in enumerate(sums.items())
    ]
    assert wait(started) == [(0, "")] * AT_ONCE
    lines = (folder / "hashes").read_text().splitlines()
    assert sorted(lines) == sorted(f"{sum} {name}" for name, sum in sums.items())
    assert not list(folder.glob(".part-*"))


def test_signers_that_are_added_together_are_all_listed(tmp_path: Path) -> None:
    lines = [f"signer{n} ssh-ed25519 AAAA{n}" for n in range(AT_ONCE)]
    started = [start("trust", [tmp_path / "config", line, "1800000000"]) for line in lines]
    assert wait(started) == [(0, "")] * AT_ONCE
    listed = (tmp_path / "config/allowed_signers").read_text().splitlines()
    assert sorted(listed) == lines
    assert [path.name for path in (tmp_path / "config").iterdir()] == ["allowed_signers"]


def test_a_flash_leaves_what_another_one_sends(root: Path) -> None:
    own, other = root / "incoming/own.evc", root / "incoming/other.evc"
    arriving, left = root / "wheels/.part-1-w.whl", root / "incoming/left.evc"
    for path in (own, other, arriving, left):
        path.touch()
    two_hours_ago = time.time() - 7200
    os.utime(left, (two_hours_ago, two_hours_ago))
    assert wait([start("activate", [root, "own", own, "no", ""])])[0][0] == 0
    assert [path.exists() for path in (own, other, arriving, left)] == [False, True, True, False]


def test_the_same_bundle_of_another_flash_is_taken_where_it_is(root: Path) -> None:
    (root / "current/bundle.evc").write_text("the same")
    sum = hashlib.sha256(b"the same").hexdigest()
    words = [root, "own", root / f"incoming/{sum}.evc", "no", ""]
    assert wait([start("activate", words)]) == [(0, 'the same{"changed": true}\n')]
    assert (root / "current/bundle.evc").exists()


@pytest.mark.parametrize("gone", ["venvs/own/.complete", "incoming/own.evc"])
def test_what_another_flash_has_removed_is_said(root: Path, gone: str) -> None:
    (root / "incoming/own.evc").touch()
    (root / gone).unlink()
    ((code, said),) = wait([start("activate", [root, "own", root / "incoming/own.evc", "no", ""])])
    assert code == 2
    assert said == "another flash has removed what this one sent; run the same command again\n"
    assert not (root / "venv").exists()


@pytest.mark.parametrize("name", ["venv", "activate", "rollback", "remove"])
def test_what_changes_an_installation_waits_for_another_flash(root: Path, name: ScriptName) -> None:
    lock = root / ".flash-lock"
    holder = subprocess.Popen(
        ["flock", str(lock), "sh", "-c", "echo held; cat"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    waiting = start(name, [root, "own", root / "incoming/own.evc", "no", ""])
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.5)
    holder.stdin.close()
    holder.wait()
    holder.stdout.close()
    ((code, said),) = wait([waiting])
    assert "another flash is at work" not in said
    assert code >= 0
