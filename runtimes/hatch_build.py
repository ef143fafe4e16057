"""Wheel metadata that depends on where the project is published.

``EDGE_VC_URL`` is the address of the published repository. If it is set, the wheels include project
links and the README's relative links become absolute, as required by a package index; otherwise
links are left out, since nothing is published yet.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"\[([^\]]+)\]\((?!https?://|#)([^)\s]+)\)")


class PublishedLinks(MetadataHookInterface):
    """Sets ``urls`` and ``readme``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set both in the project's metadata."""
        base = os.environ.get("EDGE_VC_URL", "").rstrip("/")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": with_links(text, base)}
        if base:
            metadata["urls"] = {
                "Source": base,
                "Documentation": f"{base}/blob/main/docs/index.md",
                "Changelog": f"{base}/blob/main/CHANGELOG.md",
                "Issues": f"{base}/issues",
            }


def with_links(text: str, base: str) -> str:
    """Return Markdown with relative links made absolute, or removed if ``base`` is empty."""
    return LINK.sub(rf"[\1]({base}/blob/main/\2)" if base else r"\1", text)


def get_metadata_hook() -> type[MetadataHookInterface]:
    """Return the hook class for hatchling."""
    return PublishedLinks
