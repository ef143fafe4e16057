"""The roles of recordings in a corpus, given in a table or as folder names."""

from __future__ import annotations

from pathlib import Path

from edge_vc.data.file_name import file_name

ROLES = {
    "target": "the voice to convert into, to train on",
    "source": "other speakers, to train on",
    "target-reference": "the target's recordings that an evaluation compares with",
    "target-retake": "the target once more, for the topline of an evaluation",
    "unseen-source": "speakers to convert in an evaluation; nothing was trained on them",
}
"""Roles and their meanings; a corpus may have others, which are ignored here."""


def role_and_speaker(root: Path, path: Path) -> tuple[str, str]:
    """Return role and speaker of a recording without a table, from its folders below ``root``.

    ``unseen-source/anna/01.wav`` is from Anna, ``target/01.wav`` from a speaker called ``target``.
    Without a folder named after a role, the role is ``source`` and the speaker has the name of
    the folder that contains the file.
    """
    folders = path.relative_to(root).parts[:-1]
    if not folders or folders[0] not in ROLES:
        return "source", file_name(path.parent.name)
    role = folders[0]
    alone = "target" if role.startswith("target") else role
    return role, file_name(folders[-1]) if len(folders) > 1 else alone
