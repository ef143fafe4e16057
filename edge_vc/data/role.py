"""What recordings are for: the roles of a corpus, in a table or as names of folders."""

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
"""Roles and what they mean; a corpus may have others, which nothing here asks for."""


def role_and_speaker(root: Path, path: Path) -> tuple[str, str]:
    """Return role and speaker of a recording without a table, by its folders below ``root``.

    ``unseen-source/anna/01.wav`` is of Anna, ``target/01.wav`` of a speaker called ``target``.
    Without a folder that is called as a role, the role is ``source``, and the speaker is called
    as the folder with the file.
    """
    folders = path.relative_to(root).parts[:-1]
    if not folders or folders[0] not in ROLES:
        return "source", file_name(path.parent.name)
    role = folders[0]
    alone = "target" if role.startswith("target") else role
    return role, file_name(folders[-1]) if len(folders) > 1 else alone
