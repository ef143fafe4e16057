"""The one writer: whole or not at all, no name that collides, no device or pipe replaced."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge_vc_runtime.files.error import OutputError
from edge_vc_runtime.files.part_file import PartFile, is_part
from edge_vc_runtime.files.part_folder import new_folder, scratch_folder
from edge_vc_runtime.files.writing import replacing, replacing_path, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_bytes_go_to_the_medium_before_the_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace

    def counted(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        done.append(f"sync {kind} of {os.fstat(descriptor).st_size * (kind == 'file')}")
        sync(descriptor)

    def renamed(source: Path, target: Path) -> None:
        done.append(f"rename to {Path(target).name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", counted)
    monkeypatch.setattr(os, "replace", renamed)
    write_whole(tmp_path / "a.json", "12345")
    assert done == ["sync file of 5", "rename to a.json", "sync folder of 0"]


class Interrupted(BaseException):
    """What comes in the middle of writing."""


def half_written(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"half")
        raise Interrupted


def half_written_by_path(path: Path) -> None:
    with replacing_path(path) as part:
        part.write_bytes(b"half")
        raise Interrupted


def half_filled(path: Path) -> None:
    with new_folder(path) as folder:
        (folder / "a").write_text("half")
        raise Interrupted


def test_an_error_in_the_block_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")
    for write in (half_written, half_written_by_path):
        with pytest.raises(Interrupted):
            write(path)
    assert (path.read_bytes(), names(tmp_path)) == (b"before", ["a.bin"])


def test_what_goes_wrong_names_the_output_and_not_its_temporary_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "a.json", tmp_path / ("x" * 300)):
        with pytest.raises(OutputError) as caught:
            write_whole(path, "x")
        assert str(caught.value).startswith(f"{path}: ")
        assert ".part" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="other"), replacing(tmp_path / "a") as file:
        file.write((tmp_path / "other").read_bytes())


def test_the_longest_name_and_one_of_any_bytes(tmp_path: Path) -> None:
    for name in ("x" * 255, os.fsdecode(b"\xff\n\xe9.json"), "-"):
        assert write_whole(tmp_path / name, name.encode("utf-8", "replace")).is_file()
    assert len(names(tmp_path)) == 3


HOLD = """
import sys, time
from pathlib import Path
from edge_vc_runtime.files.part_file import PartFile
from edge_vc_runtime.files.part_folder import scratch_folder
part = PartFile(Path(sys.argv[1])).open()
part.write(b"half")
with scratch_folder(Path(sys.argv[1]).parent) as folder:
    (folder / "half").write_bytes(b"half")
    sys.stdout.write("ready\\n")
    sys.stdout.flush()
    time.sleep(60)
"""


def test_leftovers_of_the_killed_go_and_those_at_work_stay(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "a.json")]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as first,
        subprocess.Popen(command, stdout=subprocess.PIPE) as second,
    ):
        for child in (first, second):
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
        assert len(names(tmp_path)) == 4
        assert all(is_part(name) for name in names(tmp_path))
        first.send_signal(signal.SIGKILL)
        first.wait()
        (tmp_path / "mine.part").write_text("not ours")
        write_whole(tmp_path / "b.json", "whole")
        left = [name for name in names(tmp_path) if is_part(name)]
        second.kill()
    assert len(left) == 2, "the file and the folder of the one that lives"
    assert {"b.json", "mine.part"} <= set(names(tmp_path))


def test_a_planted_name_is_neither_followed_nor_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    drawn = iter(["0" * 16, "0" * 16, "1" * 16])
    monkeypatch.setattr("secrets.token_hex", lambda count: next(drawn))
    (tmp_path / f".edge-vc-{'0' * 16}.part").symlink_to(victim)
    write_whole(tmp_path / "a", "new")
    assert (victim.read_text(), (tmp_path / "a").read_text()) == ("precious", "new")


def test_links_are_followed_and_hard_links_keep_the_old_bytes(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "real.json"
    link = tmp_path / "link.json"
    link.symlink_to("there/real.json")
    write_whole(link, "first")
    assert (link.is_symlink(), real.read_text()) == (True, "first")
    os.link(real, tmp_path / "hard.json")
    write_whole(link, "second")
    assert (real.read_text(), (tmp_path / "hard.json").read_text()) == ("second", "first")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="loop: "):
        write_whole(tmp_path / "loop", "x")


def test_a_replaced_file_keeps_its_permissions_and_a_secret_is_one(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert stat.S_IMODE(write_whole(tmp_path / "new", "x").stat().st_mode) == 0o640
        (tmp_path / "own").touch(0o600)
        assert stat.S_IMODE(write_whole(tmp_path / "own", "x").stat().st_mode) == 0o600
        (tmp_path / "open").touch(0o666)
        assert stat.S_IMODE(write_whole(tmp_path / "open", "x", 0o600).stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, "through")
    reader.join(10)
    assert (got, pipe.is_fifo(), names(tmp_path)) == ([b"through"], True, ["pipe.json"])
    with pytest.raises(OutputError, match="is a pipe; name a file"), replacing(pipe):
        pass


def test_a_device_is_written_into_and_stays_one(tmp_path: Path) -> None:
    full = tmp_path / "full.json"
    try:
        os.mknod(full, stat.S_IFCHR | 0o666, os.makedev(1, 7))  # as /dev/full is
        full.open("wb").close()
    except PermissionError:
        pytest.skip("making a device needs root rights and a file system with devices")
    with pytest.raises(OutputError, match="full.json: No space left") as caught:
        write_whole(full, "x")
    assert caught.value.errno == errno.ENOSPC
    assert full.is_char_device()
    with pytest.raises(OutputError, match="is a device; name a file"), replacing(full):
        pass


def test_the_own_stdout_by_its_path_is_written_into(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    program = (
        "from edge_vc_runtime.files.writing import write_whole\n"
        "print('before', flush=True)\n"
        "write_whole('/dev/stdout', 'whole\\n')\n"
        "print('after', flush=True)\n"
    )
    with out.open("ab") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True)
    assert out.read_text() == "before\nwhole\nafter\n"


def test_two_at_once_leave_one_of_both(tmp_path: Path) -> None:
    path = tmp_path / "a"
    texts = [letter * 100_000 for letter in "abcdefgh"]
    threads = [threading.Thread(target=write_whole, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts
    assert names(tmp_path) == ["a"]


def test_a_new_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        half_filled(tmp_path / "deep" / "made")
    assert names(tmp_path / "deep") == []
    with new_folder(tmp_path / "made") as folder:
        (folder / "a").write_text("whole")
        assert not (tmp_path / "made").exists()
    assert names(tmp_path / "made") == ["a"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(Interrupted):
        half_filled(tmp_path / "empty")
    assert names(tmp_path / "empty") == []


def write_in_steps(path: Path) -> None:
    part = PartFile(path)
    try:
        part.open().write(b"x")
        part.commit()
    finally:
        part.remove()


def test_a_signal_at_any_moment_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ctrl-C would: raise from inside every call that changes the disk."""
    for name in ("open", "fsync", "replace", "write", "fstat"):
        done = getattr(os, name)

        def interrupted(*values: object, done: object = done, **more: object) -> object:
            found = done(*values, **more)  # type: ignore[operator]
            if sys._getframe(1).f_globals["__name__"].startswith("edge_vc_runtime.files"):
                raise Interrupted
            return found

        with monkeypatch.context() as patch:
            patch.setattr(os, name, interrupted)
            with pytest.raises(Interrupted):
                write_in_steps(tmp_path / "a")
        assert [each for each in names(tmp_path) if is_part(each)] == []


def test_a_scratch_folder_is_private_and_goes(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "a").write_text("x")
    assert names(tmp_path) == []
