"""Every verb on a full and on a read-only disk: one line, exit code 2, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from declared_outputs import DeclaredParameter
from small_disk import fill, make_read_only, small_disk
from test_host_verbs import invoke
from test_outputs import OUTPUTS, refused, suffix_of
from voices import record

from edge_vc.assets import bundle_path
from edge_vc_runtime.files.part_file import is_part

sys.path.append(str(Path(__file__).parent / "evaluate"))
from evaluate_reports import keep_audio, made_report

BUNDLE = bundle_path("kathleen-nano")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk without a free block."""
    with small_disk(tmp_path_factory.mktemp("full") / "disk") as place:
        fill(place)
        yield place


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk that nothing can be written on."""
    with small_disk(tmp_path_factory.mktemp("read-only") / "disk") as place:
        make_read_only(place)
        yield place


@pytest.mark.parametrize("disk", ["full", "read_only"])
@pytest.mark.parametrize("output", OUTPUTS, ids=str)
def test_an_output_there_is_refused_before_the_work(
    output: DeclaredParameter, disk: str, request: pytest.FixtureRequest
) -> None:
    place: Path = request.getfixturevalue(disk)
    before = sorted(path.name for path in place.iterdir())
    error = refused(output, place / f"out{suffix_of(output)}")
    assert ("No space left" if disk == "full" else "Read-only file system") in error
    assert sorted(path.name for path in place.iterdir()) == before


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the verbs read."""
    folder = tmp_path_factory.mktemp("given")
    record(folder / "recordings", 3, 2.0)
    done = invoke(
        "profile", str(BUNDLE), "--seconds", "0.2", "--warmup", "1", "--no-cold-start", "--no-ops",
        "--json", str(folder / "profile.json"),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    report = made_report()
    keep_audio(report, folder / "audio")
    report.save(folder / "evaluation.json")
    invoke("keys", "new", "key", "--folder", str(folder / "keys"), "--no-passphrase")
    return folder


Words = Callable[[Path, Path], list[str]]
FILLS: dict[str, Words] = {
    "run": lambda given, disk: [
        str(BUNDLE), str(given / "recordings" / "00.wav"), str(disk / "out.wav"), "-q",
    ],
    "run flac": lambda given, disk: [
        str(BUNDLE), str(given / "recordings" / "00.wav"), str(disk / "out.flac"), "-q",
    ],
    "profile json": lambda given, disk: [
        str(BUNDLE), "--seconds", "2", "--mode", "tight", "--warmup", "1", "--no-cold-start",
        "--no-ops", "--json", str(disk / "out.json"),
    ],
    "report png": lambda given, disk: [
        str(given / "profile.json"), "--png", str(disk / "out.png"),
    ],
    "report page": lambda given, disk: [
        str(given / "evaluation.json"), "-o", str(disk / "out.html"),
    ],
    "export": lambda given, disk: [str(BUNDLE), "-o", str(disk / "parts")],
    "sign": lambda given, disk: [
        str(BUNDLE), "--key", str(given / "keys" / "key"), "-o", str(disk / "out.evc"),
    ],
    "prepare": lambda given, disk: [str(given / "recordings"), "-o", str(disk / "corpus")],
    "label": lambda given, disk: [
        str(given / "recordings"), "--teacher", "shipped", "-o", str(disk / "labels"),
        "--workers", "1",
    ],
}  # fmt: skip
"""Command lines that need more room than is left, though a first few bytes find theirs."""


SLOW = ("label", "report png")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in FILLS]
)
def test_a_disk_that_fills_during_the_work_leaves_nothing_half_written(
    name: str, given: Path, tmp_path: Path
) -> None:
    verb = name.partition(" ")[0]
    with small_disk(tmp_path / "disk") as disk:
        fill(disk, left=1)
        done = invoke(verb, *FILLS[name](given, disk))
        assert done.exit_code == 2, done.output
        errors = [line for line in done.stderr.splitlines() if ": error: " in line]
        assert len(errors) == 1, done.stderr
        assert errors[0].startswith(f"edge-vc {verb}: error: ")
        assert "No space left" in errors[0]
        assert str(disk) in errors[0]
        assert "Traceback" not in done.stderr
        found = [path for path in disk.rglob("*") if path.is_file() and path.name != "filler"]
        assert not [path for path in found if is_part(path.name) or path.suffix in (".wav", ".npz")]
        assert not [path for path in found if path.suffix in (".html", ".png", ".evc", ".flac")]
        for path in found:
            if path.suffix == ".json":
                json.loads(path.read_text())
        (disk / "filler").unlink()


def test_what_a_full_disk_stopped_goes_on_when_there_is_room(given: Path, tmp_path: Path) -> None:
    words = FILLS["prepare"]
    with small_disk(tmp_path / "disk", 1024) as disk:
        fill(disk, left=6)
        assert invoke("prepare", *words(given, disk)).exit_code == 2
        (disk / "filler").unlink()
        assert invoke("prepare", *words(given, disk)).exit_code == 0
        here = shutil.copytree(disk / "corpus", tmp_path / "first")
    assert invoke("prepare", *words(given, tmp_path)).exit_code == 0
    assert content(here) == content(tmp_path / "corpus")


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if path.suffix in (".flac", ".csv")
    }


def test_results_on_a_full_stdout_are_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    import subprocess

    for words in (["inspect", str(BUNDLE)], ["bundles"], ["--help"]):
        command = [sys.executable, "-m", "edge_vc", *words]
        with open("/dev/full", "wb") as out:
            done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2, (words, done.stderr)
        assert "No space left on device" in done.stderr
        assert done.stderr.count("\n") == 1
    assert os.path.exists("/dev/full")
