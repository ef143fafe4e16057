"""Runs programs on this machine that read file systems, always with a timeout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edge_vc_boards.flash.image.error import CardError

FIXED_TIME = 1767225600
"""2026-01-01 in UTC, the timestamp of all written files: same inputs, same bytes."""
_PACKAGES = {"debugfs": "e2fsprogs", "openssl": "openssl"}
_TIMEOUT_S = 300
IMAGE = "{image}"
"""Placeholder for an image's name in the arguments of `run_on_image`."""
_OPENED = re.compile(r"/proc/self/fd/\d+")


def run_on_image(image: Path, words: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a program on an image; `IMAGE` in ``words`` stands for its name.

    It is passed as an open file, since programs interpret ``@``, ``?``, quotes and line breaks in
    names. Raises `CardError`.
    """
    try:
        with image.open("rb") as file:
            name = f"/proc/self/fd/{file.fileno()}"
            opened = (file.fileno(),)
            return run_tool([word.replace(IMAGE, name) for word in words], opened=opened)
    except OSError as error:
        raise CardError(error.strerror or str(error)) from error


def run_tool(
    words: Sequence[str], data: bytes = b"", opened: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    """Run a program with ``data`` on its stdin; raises `CardError` if it is missing or hangs.

    It inherits the ``opened`` descriptors.
    """
    program = shutil.which(words[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        package = _PACKAGES.get(words[0], "mtools")
        raise CardError(f"{words[0]} is needed and not installed: sudo apt install {package}")
    environment = dict(os.environ, LC_ALL="C", TZ="UTC", SOURCE_DATE_EPOCH=str(FIXED_TIME))
    environment["MTOOLSRC"] = os.devnull
    try:
        return subprocess.run(
            [program, *words[1:]],
            input=data,
            capture_output=True,
            check=False,
            env=environment,
            timeout=_TIMEOUT_S,
            pass_fds=opened,
        )
    except subprocess.TimeoutExpired as error:
        raise CardError(f"{words[0]} did not end within {_TIMEOUT_S} s") from error


def reason(done: subprocess.CompletedProcess[bytes], path: Path) -> str:
    """Return a failed program's last line without the folder of ``path``, printable."""
    text = (done.stderr or done.stdout).decode(errors="replace").strip()
    lines = _OPENED.sub(
        lambda _: path.name, text.replace(f"{path.parent}{os.sep}", "")
    ).splitlines()
    last = lines[-1] if lines else f"ended with {done.returncode}"
    return "".join(letter if letter.isprintable() else "?" for letter in last)[:200]
