"""Sweeps a verb over every state in which a kill leaves its output, and resumes each one."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_vc_runtime.files.part_file import is_part

CLOCKS = (0.0, -365 * 86400.0, 86400.0)
"""A resumed run's clock, in turn: right, a year back, a day on."""
TIMED = {"run.json", "stage.json", "log.jsonl", "journal.jsonl", "checkpoint.pt", "prepare.json"}
"""Files that say when or how fast something was done, besides what was done."""
MEASURED = {"profile.json", "a.measured.json"}
"""Files of measurements: whole is all that they can be."""
_TESTS = Path(__file__).parent
_PATHS = (_TESTS, _TESTS / "runtime")


class CrashServer:
    """The process that forks the runs."""

    def __init__(self) -> None:
        found = [str(path) for path in _PATHS]
        search = os.pathsep.join([*found, os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, str(_TESTS / "crash_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": search, "OMP_NUM_THREADS": "1"},
        )

    def run(
        self, words: Sequence[object], root: Path, kept: Path | None = None, clock: float = 0.0
    ) -> dict[str, Any]:
        """Run a verb; with ``kept``, keep what a kill would leave of ``root`` there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "words": [str(word) for word in words],
            "root": str(root),
            "kept": str(kept) if kept else None,
            "clock": clock,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the server ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@dataclass(frozen=True)
class Sweep:
    """What was swept over."""

    points: int
    states: int
    """Different ones of what the points leave."""
    content: dict[str, str]
    """Hash of each file of an undisturbed run, by its name."""


def sweep(
    server: CrashServer,
    words: Sequence[object],
    root: Path,
    scratch: Path,
    resumes: bool = True,
) -> Sweep:
    """Kill a verb at each point, run the same command again and compare what it made.

    ``root`` holds what is there before the verb. Fails where a run ends in an error, in other
    bytes, or with something unfinished beside them.
    """
    before, kept = scratch / "before", scratch / "kept"
    kept.mkdir(parents=True)
    if root.exists():
        copy(root, before)
    done = server.run(words, root, kept)
    assert done["code"] == 0, done["said"]
    wanted = content(root)
    states = sorted(kept.iterdir())
    for number, state in enumerate(states):
        if not resumes and content(state) == wanted:
            continue  # it would not be made again
        put_back(state, root)
        again = server.run(words, root, clock=CLOCKS[number % len(CLOCKS)])
        where = f"killed in state {number} of {len(states)}: {again['said']}"
        assert again["code"] == 0, where
        made = content(root)
        other = sorted(k for k in {**wanted, **made} if wanted.get(k) != made.get(k))
        assert not other, f"{other} differ, {where}"
        assert not left(root), where
    return Sweep(done["points"], len(states), wanted)


def sweep_twice(
    server: CrashServer, words: Sequence[object], root: Path, scratch: Path, count: int = 4
) -> Sweep:
    """Kill a verb, kill what resumes it, then let it end: ``count`` times ``count`` of the states.

    Seeded. What a second kill leaves is not what a first one leaves: the work began elsewhere.
    """
    chance, first = random.Random(0), scratch / "first"
    first.mkdir(parents=True)
    done = server.run(words, root, first)
    assert done["code"] == 0, done["said"]
    wanted, tried = content(root), 0
    for state in some(chance, first, count):
        second = scratch / f"second-{state.name}"
        second.mkdir()
        put_back(state, root)
        server.run(words, root, second)
        for again in some(chance, second, count):
            put_back(again, root)
            said = server.run(words, root, clock=chance.choice(CLOCKS))
            where = f"killed in {state.name}, then in {again.name}: {said['said']}"
            assert said["code"] == 0, where
            assert content(root) == wanted, where
            assert not left(root), where
            tried += 1
    return Sweep(done["points"], tried, wanted)


def some(chance: random.Random, states: Path, count: int) -> list[Path]:
    """Return ``count`` of the states, or all where there are fewer, in any order."""
    found = sorted(states.iterdir())
    return chance.sample(found, min(count, len(found)))


def left(root: Path) -> list[Path]:
    """Return what is there unfinished."""
    return [path for path in root.rglob("*") if is_part(path.name)]


def whole_or_absent(states: Path, wanted: dict[str, str], old: dict[str, str]) -> None:
    """Fail for a state with a file under its name that is neither the new one nor the old one."""
    for state in sorted(states.iterdir()):
        for name, found in content(state).items():
            assert found in (wanted.get(name), old.get(name)), f"{name} is half-written in {state}"


def put_back(state: Path, root: Path) -> None:
    """Let ``root`` be as it was kept."""
    if root.exists():
        shutil.rmtree(root)
    copy(state, root)


def copy(source: Path, target: Path) -> None:
    """Copy a tree with its times; links stay links."""
    shutil.copytree(source, target, symlinks=True)


def content(root: Path) -> dict[str, str]:
    """Return the hash of each finished file, without what says when it was made."""
    found = {}
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        unfinished = any(is_part(part) or part in (".work", ".lock") for part in parts)
        if path.is_file() and path.name not in TIMED and not unfinished and path.name != ".lock":
            found["/".join(parts)] = hashlib.sha256(_timeless(path)).hexdigest()
    return found


def _timeless(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".jsonl":
        lines = [_without_times(json.loads(line)) for line in data.splitlines() if line.strip()]
        return json.dumps(lines, sort_keys=True).encode()
    if path.suffix != ".json":
        return data
    if path.name in MEASURED:
        return str(sorted(json.loads(data))).encode()
    return json.dumps(_without_times(json.loads(data)), sort_keys=True).encode()


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        timed = ("second", "minute", "created", "rtf", "_ms", "measured", "time")
        kept = {key: each for key, each in value.items() if not any(t in key for t in timed)}
        return {key: _without_times(each) for key, each in kept.items()}
    if isinstance(value, list):
        return [_without_times(each) for each in value]
    return value
