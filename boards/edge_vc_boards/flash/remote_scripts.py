"""The shell scripts that run on a board; variable parts are passed as arguments, never as code."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from typing import Literal

ScriptName = Literal[
    "facts", "audio", "receive", "venv", "trust", "user", "unit", "health", "activate", "rollback",
    "remove",
]  # fmt: skip


def script_words(
    name: ScriptName, arguments: Sequence[str] = (), *, root_rights: bool = False
) -> list[str]:
    """Return the words of a remote command that runs a script, with ``sudo -n`` if as root."""
    sudo = ["sudo", "-n"] if root_rights else []
    return [*sudo, "sh", "-c", script_text(name), f"edge-vc-{name}", *arguments]


def script_text(name: ScriptName) -> str:
    """Return the text of a script."""
    folder = resources.files("edge_vc_boards") / "flash" / "scripts"
    return (folder / f"{name}.sh").read_text("utf-8")
