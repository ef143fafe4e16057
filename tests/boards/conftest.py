"""The emulated root, made once per machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_vc_boards.emulation.error import UnavailableError
from edge_vc_boards.emulation.root import default_root, make_root


@pytest.fixture(scope="session")
def arm64_root() -> Path:
    """An arm64 root with both engines; tests that ask for it are skipped where none can be had."""
    root = default_root()
    try:
        make_root(root)
    except UnavailableError as error:
        pytest.skip(f"no emulated board: {error}")
    return root
