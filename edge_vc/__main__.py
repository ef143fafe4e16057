"""The host command, ``edge-vc`` and ``python -m edge_vc``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run it; the exit code is 130 for Ctrl-C, also while it is still being loaded."""
    try:
        from edge_vc.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
