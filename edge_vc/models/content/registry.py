"""Content encoders by name. To add one, add a file like the others and a line in `CONTENTS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_vc.assets import CONTENTS_WEIGHTS
from edge_vc.models.content.distilled import DistilledEncoder, open_distilled
from edge_vc.models.content.encoder import ContentEncoder, ContentError
from edge_vc.models.content.hama import HamaEncoder, open_hama
from edge_vc.models.content.whisper_package import open_whisper


@dataclass(frozen=True)
class ContentKind:
    """A content encoder that can be chosen by name, before it is opened."""

    name: str
    title: str
    """What it is, with its licence."""
    open: Callable[[], ContentEncoder]
    """Opens it; raises `ContentError` with the command that installs what is missing."""
    files: tuple[Path, ...] = ()
    """Our own weights that it uses; those from packages are pinned by hash."""


CONTENTS: dict[str, ContentKind] = {
    kind.name: kind
    for kind in (
        ContentKind("whisper", "block 5 of Whisper base's encoder (MIT), 145 MB", open_whisper),
        ContentKind(
            DistilledEncoder.name,
            "our own, distilled from Whisper's, on top of hama's (CC0), 3 MB",
            open_distilled,
            (CONTENTS_WEIGHTS,),
        ),
        ContentKind(
            HamaEncoder.name, "block 3 of hama's phone recogniser (Apache-2.0), 4.7 MB", open_hama
        ),
    )
}
"""Every content encoder by its name in a recipe, best first."""


def open_contents(name: str) -> ContentEncoder:
    """Open an encoder by name; raises `ContentError` if it is unknown or missing."""
    if name not in CONTENTS:
        raise ContentError(f'contents = "{name}": allowed are {", ".join(CONTENTS)}')
    return CONTENTS[name].open()
