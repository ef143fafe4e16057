"""Whenever the plug is pulled or the installer is killed, `current` is a whole release."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from crash_points import CHANGES, NAMES, run_until
from runtime_installs_disk import QUICK, StoppingDisk, Unplugged, mini_version

from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.install.installer import install_bundle
from edge_vc_runtime.install.layout import InstallRoot, release_name

KILLS = 50


def check_whole(root: InstallRoot, allowed: set[str]) -> str:
    """Return the current release's version after reading every byte of it."""
    assert root.current_release() in {*allowed, None}
    if root.current_release() is None:
        return ""
    return read_bundle(root.current / "bundle.evc").manifest.version


def changes(old: Path, new: Path, root: InstallRoot) -> list[str]:
    install_bundle(old, root, QUICK)
    disk = StoppingDisk()
    install_bundle(new, root, QUICK, disk)
    return disk.changes


def test_a_plug_pulled_before_any_change_leaves_a_whole_release(tmp_path: Path) -> None:
    old = mini_version(tmp_path / "old.evc", "1.0")
    new = mini_version(tmp_path / "new.evc", "1.1")
    names = {release_name(read_bundle(path)) for path in (old, new)}
    counted = changes(old, new, InstallRoot(tmp_path / "count"))
    assert sum(change.startswith(("rename", "sync")) for change in counted) >= 8
    seen = set()
    for stop in range(len(counted) + 1):
        root = InstallRoot(tmp_path / f"stop-{stop}")
        install_bundle(old, root, QUICK)
        try:
            install_bundle(new, root, QUICK, StoppingDisk(stop))
        except Unplugged:
            assert stop < len(counted)
        seen.add(check_whole(root, names))
        install_bundle(new, root, QUICK)
        assert check_whole(root, names) == "1.1", "the next call finishes it"
        assert root.unfinished() == []
        assert not install_bundle(new, root, QUICK).changed
    assert seen == {"1.0", "1.1"}


def test_the_first_installation_survives_as_well(tmp_path: Path) -> None:
    new = mini_version(tmp_path / "new.evc", "1.0")
    counter = StoppingDisk()
    install_bundle(new, InstallRoot(tmp_path / "count"), QUICK, counter)
    for stop in range(len(counter.changes)):
        root = InstallRoot(tmp_path / f"stop-{stop}")
        with pytest.raises(Unplugged):
            install_bundle(new, root, QUICK, StoppingDisk(stop))
        check_whole(root, {release_name(read_bundle(new))})
        install_bundle(new, root, QUICK)
        assert check_whole(root, {release_name(read_bundle(new))}) == "1.0"


def test_killed_before_any_call_that_changes_the_disk(tmp_path: Path) -> None:
    """As the plug, but counted at the operating system: nothing that is no `Disk` slips through."""
    old = mini_version(tmp_path / "old.evc", "1.0")
    new = mini_version(tmp_path / "new.evc", "1.1")
    names = {release_name(read_bundle(path)) for path in (old, new)}
    options = replace(QUICK, keep=1)

    def installed(name: str) -> InstallRoot:
        root = InstallRoot(tmp_path / name)
        install_bundle(old, root, options)
        return root

    calls = CHANGES + NAMES
    counting = partial(install_bundle, new, installed("count"), options)
    points = run_until(None, counting, changes=calls).points
    assert points >= 12
    seen = set()
    for point in range(points):
        root = installed(f"stop-{point}")
        action = partial(install_bundle, new, root, options)
        assert run_until(point, action, changes=calls).killed
        seen.add(check_whole(root, names))
        install_bundle(new, root, options)
        assert check_whole(root, names) == "1.1"
        assert root.unfinished() == []
    assert seen == {"1.0", "1.1"}


DRIVER = """
import os, random, signal, sys, time
from dataclasses import replace
from pathlib import Path
from runtime_installs_disk import QUICK
from test_runtime_install_crash import check_whole
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.install.installer import install_bundle
from edge_vc_runtime.install.layout import InstallRoot, release_name

root, bundles = InstallRoot(Path(sys.argv[2])), [Path(p) for p in sys.argv[3:]]
names = {release_name(read_bundle(path)) for path in bundles}
options = replace(QUICK, allow_downgrade=True, keep=1)
chance, left = random.Random(7), 0
install_bundle(bundles[0], root, options)
for number in range(int(sys.argv[1])):
    child = os.fork()
    while child == 0:
        for bundle in bundles:
            install_bundle(bundle, root, options)
    time.sleep(0.005 + 0.05 * chance.random())
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it ended by itself"
    assert check_whole(root, names), "nothing is current"
    left += bool(root.unfinished())
print(left)
"""
"""Kills one installing process after the other; prints how many left something unfinished."""


def test_a_killed_installer_leaves_a_whole_release(tmp_path: Path) -> None:
    """SIGKILL after a random while of one installation after the other."""
    paths = [mini_version(tmp_path / f"{n}.evc", f"1.{n}") for n in range(3)]
    root = InstallRoot(tmp_path / "opt")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", DRIVER, str(KILLS), str(root.path), *map(str, paths)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 0, "no kill came in the middle of anything"
    install_bundle(paths[-1], root, replace(QUICK, allow_downgrade=True))
    assert check_whole(root, {release_name(read_bundle(paths[-1]))}) == "1.2"
    assert root.unfinished() == []
