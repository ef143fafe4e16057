"""Writes the requirement files with hashes from ``constraints.txt``: ``make locks``.

Runs uv, which takes the hashes of every file of a release from the package index, so that the files
serve on each platform. No address of an index is written down.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
PYTHON = "3.11.5"
"""The lowest that all pins accept."""
RUNTIME_EXTRAS = ("onnx", "litert", "audio", "sounddevice")
"""Of `edge-vc-runtime`: what a board uses."""
HEADER = """\
# {what}, pinned as in constraints.txt, with the hashes of all files of each release.
# Made by `make locks`. Use: pip install --require-hashes -r {name}
"""


def main() -> None:
    """Write both files."""
    lock("host.txt", "All that the project installs", CONSTRAINTS.read_text("utf-8"), "--no-deps")
    wanted = "\n".join(runtime_requirements())
    lock("runtime.txt", "What edge-vc-runtime uses on a board", wanted, "-c", str(CONSTRAINTS))


def lock(name: str, what: str, wanted: str, *options: str) -> None:
    """Let uv pin and hash ``wanted``; write ``requirements/name``."""
    command = ["uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-header"]
    command += ["--no-annotate", "--no-emit-index-url", "--no-config", "--python-version", PYTHON]
    made = subprocess.run(
        [*command, *options, "-"], input=wanted, text=True, check=False, capture_output=True
    )
    if made.returncode:
        sys.exit(f"requirements/{name}: not made: {made.stderr.strip()}")
    header = HEADER.format(what=what, name=f"requirements/{name}")
    (ROOT / "requirements" / name).write_text(header + made.stdout, encoding="utf-8")


def runtime_requirements() -> list[str]:
    """Return what the runtime and its usual extras ask for."""
    project = tomllib.loads((ROOT / "runtimes" / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(line for name in RUNTIME_EXTRAS for line in extras[name])]


if __name__ == "__main__":
    main()
