"""`edge-vc flash --bundle-app`: one file that runs where there is Python and nothing else."""

from __future__ import annotations

import ast
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
from boards_flash import flash, new_pair, small_wheels
from runtime_installs import NO_INDEX
from runtime_installs_disk import mini_version

from edge_vc.assets import bundle_path
from edge_vc_boards.emulation.run import SHARE, run_on
from edge_vc_boards.flash.app import entry
from edge_vc_boards.profile_folder import load_board
from edge_vc_runtime.app.cli import with_bundle
from edge_vc_runtime.bundle.reader import read_bundle

PYTHON = "{}.{}".format(*sys.version_info[:2])
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the profile is x86-64")


def make(tmp_path: Path, board: str = "x86-64", python: str = PYTHON) -> Path:
    """Write a file that holds the runtime alone: numpy is this Python's own."""
    bundle = mini_version(tmp_path / "mini.evc", "1.0")
    wheels = small_wheels(tmp_path / f"wheels-{board}-{python}", python, board)
    out = tmp_path / f"app-{board}-{python}"
    words = ["--board", board, "--wheels", str(wheels), "--allow-unsigned"]
    done = flash(str(bundle), "--bundle-app", str(out), *words)
    assert done.exit_code == 0, done.stderr
    assert done.stdout == f"{out}: {out.stat().st_size / 1e6:.1f} MB, for Python {python}\n"
    return out


def make_again(tmp_path: Path) -> Path:
    """Write a file with another bundle, which is unpacked beside the first."""
    (tmp_path / "second").mkdir()
    bundle = mini_version(tmp_path / "second/mini.evc", "1.1")
    out = tmp_path / "second/app"
    words = ["--board", "x86-64", "--wheels", str(tmp_path / f"wheels-x86-64-{PYTHON}")]
    done = flash(str(bundle), "--bundle-app", str(out), *words, "--allow-unsigned")
    assert done.exit_code == 0, done.stderr
    return out


def start(app: Path, cache: Path, *words: str) -> subprocess.Popen[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-I", str(app), *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def call(app: Path, cache: Path, *words: str) -> tuple[int, str, str]:
    process = start(app, cache, *words)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@on_x86
def test_two_first_starts_at_once_then_nothing_is_unpacked_again(tmp_path: Path) -> None:
    app, cache = make(tmp_path), tmp_path / "cache"
    assert os.access(app, os.X_OK)
    assert app.read_bytes().startswith(b"#!/bin/sh\n")
    both = [start(app, cache, "inspect") for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.startswith("mini 1.0")
    (place,) = (cache / "edge-vc/apps").iterdir()
    bundle = place / "bundle.evc"
    assert bundle.read_bytes() == (tmp_path / "mini.evc").read_bytes()
    before = bundle.stat().st_mtime_ns
    code, out, _ = call(app, cache, "--help")
    assert code == 0
    assert out.startswith(f"{app.name} holds the bundle mini 1.0 ")
    assert "measure-latency" in out
    assert bundle.stat().st_mtime_ns == before
    for each in range(4):
        unpacked(place.parent, f"another-{each}", 9000)
    (place / entry.LOCK).touch()
    again = make_again(tmp_path)
    assert call(again, cache, "inspect")[0] == 0
    names = {each.name for each in place.parent.iterdir()}
    assert len(names) == entry.KEPT
    assert place.name in names
    place.chmod(0o777)
    code, _, err = call(app, cache, "inspect")
    assert code == 2
    assert "another user may write it" in err
    place.chmod(0o700)
    code, out, err = call(app, cache, "run", "none.wav", "out.wav")
    assert (code, out) == (2, "")
    assert "none.wav" in err
    assert "Traceback" not in err


@on_x86
def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first = make(tmp_path).read_bytes()
    (tmp_path / "again").mkdir()
    assert make(tmp_path / "again").read_bytes() == first


@on_x86
def test_started_by_its_name_it_runs_when_whole_and_says_so_when_not(tmp_path: Path) -> None:
    whole = make(tmp_path).read_bytes()
    app = tmp_path / "my app"
    there = Path(sys.executable).parent
    environment = {"PATH": f"{there}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def started() -> tuple[int, str]:
        app.chmod(0o755)
        done = subprocess.run(
            [app, "run", "none.wav", "out.wav"], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout == ""
        return done.returncode, done.stderr

    app.write_bytes(whole)
    code, err = started()
    assert code == 2
    assert "none.wav" in err
    for size in (300, 1000, len(whole) // 2, len(whole) - 1):
        app.write_bytes(whole[:size])
        told = f"my app: error: has {size} bytes, not {len(whole)}: cut short or changed; copy it"
        assert started() == (2, f"{told} again\n")
    app.write_bytes(whole + b"\n")
    assert started()[0] == 2


@on_x86
def test_what_does_not_fit_is_one_line(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code, _, err = call(make(tmp_path, "pi4", "3.11"), cache)
    assert code == 2
    assert "error: is for Linux on aarch64, this is x86_64; edge-vc flash BUNDLE" in err
    other = "3.13" if PYTHON != "3.13" else "3.11"
    code, _, err = call(make(tmp_path, python=other), cache)
    assert code == 2
    assert f"holds wheels for Python {other}, this is {PYTHON}" in err
    app = make(tmp_path)
    (tmp_path / "file").touch()
    code, _, err = call(app, tmp_path / "file")
    assert code == 2
    assert "XDG_CACHE_HOME names another place" in err
    spoiled = bytearray(app.read_bytes())
    with zipfile.ZipFile(app) as archive:
        held = archive.getinfo("bundle.evc")
    spoiled[held.header_offset + 3000] ^= 1
    app.write_bytes(bytes(spoiled))
    code, _, err = call(app, cache)
    assert code == 2
    assert "is damaged" in err
    assert err.count("\n") == 1
    assert not list((cache / "edge-vc/apps").iterdir())
    app.write_bytes(bytes(spoiled[:2000]))
    assert call(app, cache)[0] != 0


def test_a_member_that_leaves_its_wheel_is_refused(tmp_path: Path) -> None:
    for name in ("../x", "a/../../x", "/x", "a-1.data/purelib/../../x"):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as writer:
            writer.writestr(name, b"x")
        with zipfile.ZipFile(held) as wheel, pytest.raises(entry.AppError, match="leaves"):
            entry.write_member(str(tmp_path / "p"), wheel, wheel.infolist()[0])
    assert not (tmp_path / "x").exists()


def test_what_was_left_by_a_killed_start_is_swept(tmp_path: Path) -> None:
    for name, age in ((".in-old", 7200), (".in-new", 0), ("whole", 7200)):
        (tmp_path / name).mkdir()
        then = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (then, then))
    entry.sweep(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".in-new", "whole"]


def unpacked(base: Path, name: str, age: float) -> Path:
    place = base / name
    place.mkdir()
    (place / entry.LOCK).touch()
    then = (place / entry.LOCK).stat().st_mtime - age
    os.utime(place / entry.LOCK, (then, then))
    return place


def test_old_versions_are_removed_and_never_one_that_runs(tmp_path: Path) -> None:
    for name, age in (("oldest", 50), ("old", 40), ("new", 30), ("newest", 20)):
        unpacked(tmp_path, name, age)
    (tmp_path / "of-an-earlier-program").mkdir()
    place, running = entry.hold(lambda: str(tmp_path / "old"))
    assert place == str(tmp_path / "old")
    os.utime(tmp_path / "old" / entry.LOCK, (0, 0))
    entry.prune(str(tmp_path), 2)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"old", "new", "newest", "of-an-earlier-program"}
    running.close()
    entry.prune(str(tmp_path), 2)
    assert {path.name for path in tmp_path.iterdir()} == left - {"old"}


def test_what_is_removed_between_looking_and_holding_is_unpacked_again(tmp_path: Path) -> None:
    tries = []

    def find() -> str:
        tries.append(len(tries))
        if len(tries) == 1:
            return str(tmp_path / "place")  # it was there, and another start has removed it
        return str(unpacked(tmp_path, "place", 100))

    place, held = entry.hold(find)
    assert tries == [0, 1]
    assert entry.age(str(Path(place) / entry.LOCK)) < 100  # its start counts as use
    entry.prune(str(tmp_path), 0)
    assert Path(place).is_dir()
    held.close()


def test_an_old_python_can_read_the_first_file() -> None:
    ast.parse(Path(entry.__file__).read_text(), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ([], ["run", "B"]),
        (["--input", "x"], ["run", "B", "--input", "x"]),
        (["run", "in.wav", "out.wav"], ["run", "B", "in.wav", "out.wav"]),
        (["profile", "--help"], ["profile", "B", "--help"]),
        (["devices"], ["devices"]),
        (["--version"], ["--version"]),
        (["none"], ["none"]),
    ],
)
def test_the_bundle_is_given_where_it_is_expected(given: list[str], called: list[str]) -> None:
    assert with_bundle("B", given) == called


def test_what_cannot_be_packed_is_refused(tmp_path: Path) -> None:
    bundle, out = str(mini_version(tmp_path / "mini.evc", "1.0")), str(tmp_path / "app")
    done = flash(bundle, "--bundle-app", out)
    assert done.exit_code == 2
    assert "is not signed" in done.stderr
    pair = new_pair(tmp_path)
    only = pair.sign(mini_version(tmp_path / "pi5.evc", "1.0", boards=("pi5",)))
    done = flash(str(only), "--bundle-app", out)
    assert "is for pi5; name it with --board" in done.stderr
    assert flash(bundle, "--bundle-app", out, "--to", "pi@x").exit_code == 2
    assert flash("--bundle-app", out, "--list").exit_code == 2
    done = flash(bundle, "--bundle-app", out, "--allow-unsigned", "--", "--input", "x")
    assert "arguments after -- are given to the file" in done.stderr
    for words, why in (
        (("--root", "/srv/voice"), "is installed nowhere"),
        (("--no-service",), "the file has no service"),
        (("--configure-audio", "hifiberry-dac"), "edge-vc flash --to USER@HOST --configure-audio"),
        (("--hostname", "x"), "--image IMG is needed"),
        (("--parallel", "2"), "--parallel is for an --inventory"),
    ):
        done = flash(bundle, "--bundle-app", out, "--allow-unsigned", *words)
        assert done.exit_code == 2
        assert why in done.stderr.splitlines()[-1]
    assert not Path(out).exists()


def golden_wav(folder: Path) -> Path:
    """Write the golden input of the bundle, a second of speech."""
    bundle = read_bundle(bundle_path("kathleen-nano"))
    path = folder / "in.wav"
    samples = np.clip(bundle.golden()["input"][:16000], -1, 1) * 32767
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(bundle.manifest.sample_rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.mark.slow
@on_x86
@pytest.mark.timeout(600)
def test_it_converts_with_a_bare_python(tmp_path: Path) -> None:
    app = tmp_path / "app"
    words = ("--board", "x86-64", "--system", "bookworm", "--allow-unsigned")
    done = flash("kathleen-nano", "--bundle-app", str(app), *words)
    if done.exit_code and NO_INDEX.search(done.stderr):
        pytest.skip(f"no wheels here: {done.stderr}")
    assert done.exit_code == 0, done.stderr
    python = shutil.which("python3.11", path="/usr/bin")
    if python is None:
        pytest.skip("no python3.11 of the system")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    source = golden_wav(tmp_path)
    converted = subprocess.run(
        [python, "-I", "-S", app, "run", source, tmp_path / "out.wav"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert converted.returncode == 0, converted.stderr
    assert (tmp_path / "out.wav").stat().st_size > 16000
    report = tmp_path / "report.json"
    options = ("--seconds", "0.5", "--no-ops", "--json", report)  # a cold start is another process
    measured = subprocess.run(
        [python, "-I", "-S", app, "profile", *options],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert measured.returncode == 0, measured.stderr
    assert json.loads(report.read_text())["setup"]["engine"] == "litert"


@pytest.mark.emulated
@pytest.mark.timeout(900)
def test_it_converts_on_an_emulated_pi(arm64_root: Path, tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    words = ("--board", "pi4", "--system", "bookworm", "--allow-unsigned")
    done = flash("kathleen-nano", "--bundle-app", str(share / "app"), *words)
    assert done.exit_code == 0, done.stderr
    source = f"{SHARE}/{golden_wav(share).name}"
    command = ["python3", "-I", "-S", f"{SHARE}/app", "run", source, "/tmp/out.wav"]
    converted = run_on(load_board("pi4"), command, root=arm64_root, share=share)
    assert converted.code == 0, converted.stderr[-2000:]
