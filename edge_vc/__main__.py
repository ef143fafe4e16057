"""The host command, ``edge-vc`` and ``python -m edge_vc``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; the exit code is 130 on Ctrl-C, even while modules are still loading."""
    try:
        from edge_vc.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
