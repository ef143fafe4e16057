"""The fake ``ssh``: runs the command in a board's folder. A standalone program, stdlib only.

  fake_ssh.py FOLDER [OPTION...] [--] TARGET [COMMAND]

Absolute system paths in the command are mapped into FOLDER, and back in the output.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

_SYSTEM = r"(?<![\w./-])/(?=(?:boot/|opt/|srv/|home/|etc/|proc/|sys/|run/|var/))"
_WITH_VALUE = ("-o", "-p", "-i", "-O", "-F", "-l", "-J")


def main(folder: Path, words: list[str]) -> int:
    """Act like ``ssh`` and return its exit code."""
    options, rest = _split(words)
    if "-O" in options:
        return 0
    if "-G" in options:
        sys.stdout.write("stricthostkeychecking ask\n")
        return 0
    line = rest[1] if len(rest) > 1 else ""
    with (folder / "commands.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
    count = len((folder / "commands.jsonl").read_text().splitlines())
    failure = json.loads((folder / "failure.json").read_text())
    if failure["said"] and count >= failure["from"]:
        sys.stderr.write(failure["said"] + "\n")
        return 255
    inside = re.sub(_SYSTEM, f"{folder}/", line)
    done = subprocess.run(
        ["sh", "-c", inside], env=_environment(folder), capture_output=True, check=False
    )
    for stream, said in ((sys.stdout, done.stdout), (sys.stderr, done.stderr)):
        stream.buffer.write(said.replace(str(folder).encode(), b""))
    return done.returncode


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    options: list[str] = []
    while words and words[0].startswith("-"):
        if words[0] == "--":
            return options, words[1:]
        taken = 2 if words[0] in _WITH_VALUE else 1
        options, words = options + words[:taken], words[taken:]
    return options, words


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{folder}/bin:{os.environ.get('BOARD_PATH', '/usr/bin:/bin')}",
        "HOME": f"{folder}/home/pi",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
