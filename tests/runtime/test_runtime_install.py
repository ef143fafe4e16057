"""A bundle is installed whole or not at all, and taken back when it does not do."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from runtime_bundles import archive, listed, member, mini_contents, write_bundle
from runtime_installs_disk import QUICK, FailingDisk, StoppingDisk, bad, good, mini_version

from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.cli import main
from edge_vc_runtime.install.checks import health_command, version_key
from edge_vc_runtime.install.disk import Disk, only_installer
from edge_vc_runtime.install.error import InstallCheckError, InstallError
from edge_vc_runtime.install.installer import install_bundle
from edge_vc_runtime.install.layout import InstallRoot, release_name
from edge_vc_runtime.install.state import read_state
from edge_vc_runtime.install.switching import roll_back, uninstall
from edge_vc_runtime.session import Session


@pytest.fixture
def root(tmp_path: Path) -> InstallRoot:
    return InstallRoot(tmp_path / "opt")


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return mini_version(tmp_path / "one.evc", "1.0")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return mini_version(tmp_path / "two.evc", "1.1")


def content(root: InstallRoot) -> set[str]:
    return {path.relative_to(root.path).as_posix() for path in root.path.rglob("*")}


def test_the_verb_installs_lists_rolls_back_and_removes(
    one: Path, two: Path, root: InstallRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--root", str(root.path)]
    assert main(["install", str(one), *where]) == 0
    assert main(["install", str(two), *where, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["release"] == release_name(read_bundle(two))
    assert (told["previous"], told["changed"]) == (release_name(read_bundle(one)), True)
    assert root.current.readlink() == Path("releases") / told["release"]
    assert Session.open(root.current / "bundle.evc").manifest.version == "1.1"
    assert (root.current / "bundle.evc").read_bytes() == two.read_bytes()

    assert main(["rollback", *where, "--reason", "too quiet"]) == 0
    assert Session.open(root.current / "bundle.evc").manifest.version == "1.0"
    capsys.readouterr()
    assert main(["installed", *where]) == 0
    listed = capsys.readouterr().out
    assert f"* {release_name(read_bundle(one))}\n" in listed
    assert f"  {release_name(read_bundle(two))}\n" in listed
    assert "too quiet" in listed
    assert main(["installed", *where, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["current"] == release_name(read_bundle(one))

    (root.path / "venv").mkdir()
    assert main(["uninstall", *where]) == 0
    assert content(root) == {"venv"}
    assert main(["uninstall", *where]) == 2


def test_the_same_bundle_again_changes_nothing(one: Path, root: InstallRoot) -> None:
    install_bundle(one, root, QUICK)
    before = {path: path.lstat().st_mtime_ns for path in root.path.rglob("*")}
    disk = StoppingDisk()
    started = time.perf_counter()
    assert not install_bundle(one, root, QUICK, disk).changed
    assert time.perf_counter() - started < 5  # far from the 0.3 s of a quiet machine
    assert disk.changes == ["make releases"]
    assert {path: path.lstat().st_mtime_ns for path in root.path.rglob("*")} == before


def test_goldens_that_fail_leave_what_ran(one: Path, two: Path, root: InstallRoot) -> None:
    install_bundle(one, root, QUICK)
    before = content(root)
    with pytest.raises(InstallCheckError, match="0.5 off"):
        install_bundle(two, root, replace(QUICK, goldens=bad("0.5 off")))
    assert content(root) == before
    assert root.current_release() == release_name(read_bundle(one))


def test_a_model_that_sounds_different_is_refused_by_its_goldens(
    one: Path, tmp_path: Path, root: InstallRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, files = mini_contents(delay=160)
    swapped = {**files, "model.fp32.onnx": files["model.int8.onnx"]}
    listed = {name: manifest.files[name] for name in files}
    listed["model.fp32.onnx"] = manifest.files["model.int8.onnx"]
    broken = write_bundle(
        tmp_path / "broken.evc", replace(manifest, files=listed, version="2.0"), swapped
    )
    where = ["--root", str(root.path)]
    assert main(["install", str(one), *where]) == 0
    capsys.readouterr()
    assert main(["install", str(broken), *where]) == 1
    error = capsys.readouterr().err
    assert "golden recording: onnx fp32 is " in error
    assert error.count("\n") == 1
    assert root.current_release() == release_name(read_bundle(one))


def test_a_graph_that_an_engine_refuses_is_refused(
    one: Path, tmp_path: Path, root: InstallRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, files = mini_contents()
    broken = files | {"model.fp32.onnx": b"no graph", "model.int8.onnx": b"none"}
    silent = replace(manifest, golden=None)
    install_bundle(one, root, QUICK)
    before = content(root)
    for name, facts in (("graph", listed(manifest, broken)), ("silent", listed(silent, broken))):
        path = write_bundle(tmp_path / f"{name}.evc", replace(facts, version="3.0"), broken)
        assert main(["install", str(path), "--root", str(root.path)]) == 2
        error = capsys.readouterr().err
        assert "golden recording: " in error
        assert ".in-" not in error
        assert error.count("\n") == 1
        assert content(root) == before


@pytest.mark.parametrize("first", [True, False], ids=["nothing before", "one before"])
def test_a_failed_health_check_rolls_back_and_says_why(
    first: bool, one: Path, two: Path, root: InstallRoot
) -> None:
    if not first:
        install_bundle(one, root, QUICK)
    with pytest.raises(InstallCheckError, match="rolled back, .*: no sound card"):
        install_bundle(two, root, replace(QUICK, health=bad("no sound card")))
    assert root.current_release() == (None if first else release_name(read_bundle(one)))
    last = read_state(root.state).events[-1]
    assert (last.action, last.release) == ("rollback", release_name(read_bundle(two)))
    assert last.reason == "no sound card"
    assert install_bundle(two, root, QUICK).changed


def test_a_health_command_runs_without_a_shell(two: Path, root: InstallRoot) -> None:
    check = health_command("sh -c 'test -f bundle.evc && echo \"$0 is mute\" >&2; exit 3' card")
    with pytest.raises(InstallCheckError, match="sh ended with 3: card is mute"):
        install_bundle(two, root, replace(QUICK, health=check))
    with pytest.raises(InstallCheckError, match="none-such;: "):
        health_command("none-such; true")(root.path)
    install_bundle(two, root, replace(QUICK, health=health_command("true")))


def test_older_versions_are_refused_unless_asked_for(
    one: Path, two: Path, root: InstallRoot, tmp_path: Path
) -> None:
    install_bundle(two, root, QUICK)
    with pytest.raises(InstallError, match=r"mini 1.0 is older than 1.1, .*--allow-downgrade"):
        install_bundle(one, root, QUICK)
    assert root.current_release() == release_name(read_bundle(two))
    assert install_bundle(one, root, replace(QUICK, allow_downgrade=True)).changed
    third = mini_version(tmp_path / "three.evc", "1.0.1")
    assert install_bundle(third, root, QUICK).changed, "what runs counts, not what ran"


def test_versions_are_ordered() -> None:
    ordered = ["0.9", "1.0-rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "2.0a1", "2.0", "10.0"]
    assert sorted(ordered, key=version_key) == ordered
    assert version_key("1.0") == version_key("1.0.0") == version_key("1.0+build7")


@pytest.mark.parametrize(
    ("boards", "board", "refused"),
    [
        (("pi5",), "pi4", "is for pi5, this is pi4"),
        (("pi5", "orin-nx"), None, "is for pi5, orin-nx, this is not a board"),
        (("pi4", "pi5"), "pi5", ""),
        (("*",), None, ""),
    ],
)
def test_a_bundle_for_another_board_is_refused(
    boards: tuple[str, ...], board: str | None, refused: str, root: InstallRoot, tmp_path: Path
) -> None:
    path = mini_version(tmp_path / "b.evc", "1.0", boards)
    options = replace(QUICK, board=board)
    if not refused:
        assert install_bundle(path, root, options).changed
        return
    with pytest.raises(InstallError, match=refused):
        install_bundle(path, root, options)
    assert not root.path.exists()


def test_hostile_bundles_leave_nothing(one: Path, root: InstallRoot, tmp_path: Path) -> None:
    whole = one.read_bytes()
    attacks = {
        "truncated": whole[:-4096],
        "flipped": whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:],
        "link": archive(member("manifest.json", b"{}"), member("x", kind=b"2")),
        "text": b"no bundle at all",
        "unlisted": whole[:-10240] + member("evil.sh", b"rm -rf /") + whole[-10240:],
    }
    install_bundle(one, root, QUICK)
    before = content(root)
    for name, data in attacks.items():
        path = tmp_path / f"{name}.evc"
        path.write_bytes(data)
        assert main(["install", str(path), "--root", str(root.path)]) == 2, name
        assert content(root) == before


def test_an_unsigned_bundle_is_refused_where_signers_are_listed(
    one: Path, root: InstallRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "edge-vc").mkdir()
    (tmp_path / "edge-vc" / "allowed_signers").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(BundleError, match="is not signed"):
        install_bundle(one, root, QUICK)
    assert not root.path.exists()


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "sync bundle.evc"),
        (OSError(errno.ENOSPC, "No space left on device"), "write .in-state"),
        (OSError(errno.EROFS, "Read-only file system"), "make .in-"),
        (OSError(errno.EROFS, "Read-only file system"), "link current"),
    ],
    ids=["full", "full at the state", "read-only", "read-only at the link"],
)
def test_a_full_or_read_only_disk_is_one_line(
    error: OSError, change: str, one: Path, two: Path, root: InstallRoot
) -> None:
    install_bundle(one, root, QUICK)
    with pytest.raises(InstallError, match=error.strerror):
        install_bundle(two, root, QUICK, FailingDisk(error, change))
    assert root.current_release() == release_name(read_bundle(one))
    assert install_bundle(two, root, QUICK).changed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 kB; skipped where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root rights")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_real_full_disk_and_a_real_read_only_one(
    one: Path, tmp_path: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Hopeful(Disk):
        def free_bytes(self, folder: Path) -> int:
            return 1 << 40

    root = InstallRoot(small_disk / "opt")
    assert main(["install", str(one), "--root", str(root.path)]) == 2
    assert "MB free" in capsys.readouterr().err
    install_bundle(one, root, QUICK, Hopeful())
    manifest, files = mini_contents()
    files = {**files, "noise.bin": bytes(1 << 17)}
    large = write_bundle(
        tmp_path / "large.evc", listed(replace(manifest, version="9"), files), files
    )
    with pytest.raises(InstallError, match="No space left on device"):
        install_bundle(large, root, QUICK, Hopeful())
    assert root.current_release() == release_name(read_bundle(one))
    assert root.unfinished() == []

    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert main(["install", str(large), "--root", str(root.path)]) == 2
    error = capsys.readouterr().err
    assert "Read-only file system" in error
    assert error.count("\n") == 1
    assert root.current_release() == release_name(read_bundle(one))


def test_errors_of_the_system_name_the_path(one: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InstallError, match="file: "):
        install_bundle(one, InstallRoot(tmp_path / "file"), QUICK)
    with pytest.raises(InstallError, match=r"/proc/edge-vc"):
        install_bundle(one, InstallRoot(Path("/proc/edge-vc")), QUICK)
    assert main(["install", str(one), "--root", "/"]) == 2


def test_space_is_checked_before_anything_is_copied(one: Path, root: InstallRoot) -> None:
    class Small(StoppingDisk):
        def free_bytes(self, folder: Path) -> int:
            return one.stat().st_size

    disk = Small()
    with pytest.raises(InstallError, match=r"MB free, 1\d.\d MB are needed"):
        install_bundle(one, root, QUICK, disk)
    assert disk.changes == ["make releases"]


def test_one_installer_at_a_time(one: Path, root: InstallRoot) -> None:
    install_bundle(one, root, QUICK)
    with only_installer(root.lock):
        for attempt in (
            lambda: install_bundle(one, root, QUICK),
            lambda: roll_back(root, "", good),
            lambda: uninstall(root),
        ):
            with pytest.raises(InstallError, match="another installer"):
                attempt()
    assert not install_bundle(one, root, QUICK).changed


def test_only_the_last_releases_stay(root: InstallRoot, tmp_path: Path) -> None:
    paths = [mini_version(tmp_path / f"{n}.evc", f"1.{n}") for n in range(5)]
    for path in paths:
        install_bundle(path, root, replace(QUICK, keep=2))
    assert root.kept_releases() == [release_name(read_bundle(path)) for path in paths[-2:]]
    roll_back(root, "", good)
    alone = InstallRoot(tmp_path / "alone")
    install_bundle(paths[0], alone, QUICK)
    with pytest.raises(InstallError, match="no other release"):
        roll_back(alone, "", good)


def test_a_damaged_release_is_installed_again(one: Path, root: InstallRoot) -> None:
    install_bundle(one, root, QUICK)
    file = root.bundle(release_name(read_bundle(one)))
    file.write_bytes(file.read_bytes()[:-512])
    assert install_bundle(one, root, QUICK).changed
    assert read_bundle(root.current / "bundle.evc")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"order": 3}'])
def test_a_damaged_state_is_begun_anew(text: str, one: Path, root: InstallRoot) -> None:
    install_bundle(one, root, QUICK)
    root.state.write_text(text)
    assert "could not be read" in read_state(root.state).events[0].reason
    assert not install_bundle(one, root, QUICK).changed


def test_a_foreign_current_is_not_touched(one: Path, root: InstallRoot) -> None:
    root.path.mkdir()
    root.current.symlink_to("/etc")
    with pytest.raises(InstallError, match="points to '/etc', not to a release"):
        install_bundle(one, root, QUICK)
    assert root.current.readlink() == Path("/etc")


def test_a_clock_in_1970_installs(
    one: Path, root: InstallRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 3.0)
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((1970, 1, 1, 0, 0, 3, 3, 1, 0)))
    assert install_bundle(one, root, QUICK).changed
    assert read_state(root.state).events[-1].time == "1970-01-01T00:00:03Z"


def test_the_service_s_user_can_read_what_root_installs(one: Path, root: InstallRoot) -> None:
    before = os.umask(0o077)
    try:
        install_bundle(one, root, QUICK)
    finally:
        os.umask(before)
    folders = [root.path, root.releases, root.current.resolve()]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o755}
    assert (root.current / "bundle.evc").stat().st_mode & 0o777 == 0o644


def test_a_file_that_is_replaced_meanwhile_is_installed_as_it_was(
    one: Path, two: Path, root: InstallRoot
) -> None:
    first = read_bundle(one)

    class Swapping(Disk):
        def make_temporary(self, folder: Path, prefix: str) -> Path:
            os.replace(two, one)
            return super().make_temporary(folder, prefix)

    made = install_bundle(one, root, disk=Swapping())
    assert (
        read_bundle(root.bundle(made.release)).content == first.content != read_bundle(one).content
    )


def test_a_file_that_is_overwritten_meanwhile_is_refused(
    one: Path, two: Path, root: InstallRoot
) -> None:
    class Overwriting(Disk):
        def make_temporary(self, folder: Path, prefix: str) -> Path:
            with one.open("r+b") as file:
                file.write(two.read_bytes())
            return super().make_temporary(folder, prefix)

    with pytest.raises((InstallError, BundleError), match="changed while|damaged|truncated|after"):
        install_bundle(one, root, disk=Overwriting())
    assert root.current_release() is None
