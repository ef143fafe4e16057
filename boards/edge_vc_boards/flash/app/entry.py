"""``__main__`` of an executable file: checks the machine, unpacks once, runs the board command.

It has to print a proper error on an old Python, so it is written for Python 3.6 and is standalone.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import struct
import sys
import tempfile
import time
import zipfile
from typing import Any

LIST = "app.json"
"""Table of contents in the file, see `edge_vc_boards.flash.app.app_file`."""
_STALE_S = 3600.0
_SPARE = 16 << 20
KEPT = 3
"""Number of unpacked files to keep, over all bundles; a running one is always kept."""
LOCK = "in-use"
"""In an unpacked file's folder: locked while it runs; modification time is the last start's."""


class AppError(Exception):
    """The reason why the file does not run here; one line that says what to do."""


def main() -> int:
    """Unpack what this machine needs, unless already done, and run; return the exit code."""
    path = os.path.dirname(os.path.abspath(__file__))
    prog = os.path.basename(path)
    try:
        with zipfile.ZipFile(path) as archive:
            listed = json.loads(archive.read(LIST).decode("utf-8"))
            target = choose_target(listed)
            # Held until this process ends, so that nobody removes the files in use.
            place, _held = hold(lambda: unpack(archive, listed, target))
    except AppError as error:
        sys.stderr.write("{}: error: {}\n".format(prog, error))
        return 2
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        said = " ".join(str(error).split())
        sys.stderr.write("{}: error: is damaged or cannot be read: {}\n".format(prog, said[:300]))
        return 2
    packages = os.path.join(place, "packages")
    # Child processes, for instance for subtitles, need them as well.
    later = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = packages + (os.pathsep + later if later else "")
    sys.path[:] = [packages] + [each for each in sys.path if each != path]
    from edge_vc_runtime.app.cli import main as command

    bundle = os.path.join(place, "bundle.evc")
    return int(command(bundle, listed["bundle"]["name"], sys.argv[1:], prog))


def choose_target(listed: Any) -> Any:
    """Return the target that fits this machine; raises `AppError`."""
    arch, bits = platform.machine(), 8 * struct.calcsize("P")
    python = "{}.{}".format(*sys.version_info[:2])
    again = "edge-vc flash BUNDLE --bundle-app OUT --board BOARD makes a file for another board"
    if not sys.platform.startswith("linux") or arch != listed["arch"]:
        here = arch if sys.platform.startswith("linux") else sys.platform
        raise AppError("is for Linux on {}, this is {}; {}".format(listed["arch"], here, again))
    if bits != 64:
        raise AppError(
            "needs a 64-bit system, this one is {}-bit on a 64-bit kernel: write the 64-bit "
            "Raspberry Pi OS to its card".format(bits)
        )
    fitting = [each for each in listed["targets"] if each["python"] == python]
    if not fitting:
        known = ", ".join(each["python"] for each in listed["targets"])
        raise AppError(
            "holds wheels for Python {}, this is {} ({}); call it with one of them, like python{} "
            "{}; {}".format(
                known, python, sys.executable, listed["targets"][0]["python"], sys.argv[0], again
            )
        )
    target = fitting[0]
    try:
        name, _, found = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, OSError, ValueError):
        name = found = ""
    if name != "glibc" or numbers(found) < numbers(target["glibc"]):
        raise AppError(
            "needs glibc {} or later, this system has {}; {}".format(
                target["glibc"], found or "another C library", again
            )
        )
    return target


def numbers(version: str) -> Any:
    """Return the sort key of a version."""
    return [int(part) for part in version.split(".") if part.isdigit()]


def cache_folder() -> str:
    """Return the user's folder where files are unpacked."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "edge-vc", "apps")


def unpack(archive: Any, listed: Any, target: Any) -> str:
    """Return the folder with packages and bundle, created atomically; raises `AppError`."""
    base = cache_folder()
    place = os.path.join(base, target["id"])
    if os.path.isdir(place):
        check_owner(place)
        return place
    part = ""
    try:
        os.makedirs(base, mode=0o700, exist_ok=True)
        sweep(base)
        prune(base, KEPT - 1)
        needed = target["unpacked"] + listed["bundle"]["size"] + _SPARE
        free = shutil.disk_usage(base).free
        if free < needed:
            raise AppError(
                "{}: {:.0f} MB are free, {:.0f} MB are needed to unpack it; XDG_CACHE_HOME names "
                "another place".format(base, free / 1e6, needed / 1e6)
            )
        part = tempfile.mkdtemp(prefix=".in-", dir=base)
        fill(part, archive, listed, target)
        os.sync()
        os.rename(part, place)
    except OSError as error:
        if not os.path.isdir(place):  # otherwise another start was faster
            raise AppError(
                "{}: cannot unpack there ({}); XDG_CACHE_HOME names another place".format(
                    base, error.strerror or error
                )
            )
        check_owner(place)
    finally:
        if part:
            shutil.rmtree(part, ignore_errors=True)
    return place


def hold(find: Any) -> Any:
    """Return the folder that ``find`` returns, and an open lock that keeps it from removal."""
    while True:
        place = find()
        path = os.path.join(place, LOCK)
        try:
            held = open(path, "rb")  # noqa: SIM115 - closed when the process ends
            fcntl.flock(held, fcntl.LOCK_SH)
            if os.path.samestat(os.fstat(held.fileno()), os.stat(path)):
                os.utime(path)
                return place, held
        except FileNotFoundError:
            if os.path.isdir(place):
                return place, None  # from an earlier version of this program
            continue  # another start has removed it in the meantime
        except OSError:
            return place, None  # it cannot be locked or touched: nobody can remove it either


def prune(base: str, keep: int) -> None:
    """Remove the least recently started files beyond ``keep`` that are not running."""
    names = [name for name in os.listdir(base) if not name.startswith(".")]
    found = [(age(os.path.join(base, name, LOCK)), name) for name in names]
    for _, name in sorted(each for each in found if each[0] is not None)[keep:]:
        remove(base, name)


def remove(base: str, name: str) -> None:
    """Remove an unpacked file unless it is running: rename it atomically, then delete it."""
    gone = tempfile.mkdtemp(prefix=".in-", dir=base)
    try:
        with open(os.path.join(base, name, LOCK), "rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(os.path.join(base, name), os.path.join(gone, name))
    except OSError:
        pass  # it is running, or another start is removing it
    finally:
        shutil.rmtree(gone, ignore_errors=True)


def check_owner(place: str) -> None:
    """Refuse to run files that another user could have put there."""
    found = os.stat(place)
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise AppError(
            "{}: another user may write it: remove it, or name another place with "
            "XDG_CACHE_HOME".format(place)
        )


def fill(folder: str, archive: Any, listed: Any, target: Any) -> None:
    """Put bundle and packages into a folder, each verified by its hash."""
    with open(os.path.join(folder, LOCK), "wb"):
        pass
    with open(os.path.join(folder, "bundle.evc"), "wb") as file:
        file.write(checked(archive, "bundle.evc", listed["bundle"]["sha256"]))
    packages = os.path.join(folder, "packages")
    for wheel in target["wheels"]:
        name = "wheels/" + wheel["file"]
        held = os.path.join(folder, "wheel")
        with open(held, "wb") as file:
            file.write(checked(archive, name, wheel["sha256"]))
        with zipfile.ZipFile(held) as opened:
            for member in opened.infolist():
                write_member(packages, opened, member)
        os.unlink(held)


def checked(archive: Any, name: str, digest: str) -> bytes:
    """Return a member of the file; raises `AppError` if it is damaged."""
    data = archive.read(name)
    if hashlib.sha256(data).hexdigest() != digest:
        raise AppError("{} is damaged in it; copy the file again".format(name))
    return bytes(data)


def write_member(packages: str, wheel: Any, member: Any) -> None:
    """Write one file of a wheel to where Python finds it; scripts are left out."""
    parts = member.filename.split("/")
    if parts[0].endswith(".data"):
        if parts[1] not in ("purelib", "platlib"):
            return
        parts = parts[2:]
    if ".." in parts or "" in parts[:-1] or not parts:
        raise AppError("{!r:.100} leaves the folder of its wheel".format(member.filename))
    path = os.path.join(packages, *parts)
    if member.filename.endswith("/"):
        os.makedirs(path, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with wheel.open(member) as source, open(path, "wb") as file:
        shutil.copyfileobj(source, file)


def sweep(base: str) -> None:
    """Remove leftovers, at least an hour old, of starts that were killed."""
    for name in os.listdir(base):
        path = os.path.join(base, name)
        if name.startswith(".in-") and (age(path) or 0) > _STALE_S:
            shutil.rmtree(path, ignore_errors=True)


def age(path: str) -> Any:
    """Return the seconds since a file was modified; None if it is gone."""
    try:
        return time.time() - os.stat(path).st_mtime
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
