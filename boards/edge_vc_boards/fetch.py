"""The wheels of a board, fetched here so that the board needs no network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edge_vc_boards.board import BoardError
from edge_vc_boards.requirements import WheelSet

REQUIREMENTS = "requirements.txt"


def fetch_wheels(wheels: WheelSet, folder: Path) -> list[Path]:
    """Download what ``wheels`` lists into ``folder`` and return the files.

    The wheel of edge-vc-runtime has to lie in ``folder`` already (`make wheels` builds it). Raises
    `BoardError` with pip's reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / REQUIREMENTS
    listed.write_text("\n".join(wheels.lines()) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--find-links", str(folder), "--dest", str(folder)]
    command += [*wheels.pip_options(), "--requirement", str(listed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1] if lines else f"pip ended with {done.returncode}"
        raise BoardError(f"{folder}: wheels of {wheels.board.name} could not be fetched: {reason}")
    return sorted(folder.glob("*.whl"))
