"""The board command, ``edge-vc-rt`` and ``python -m edge_vc_runtime``."""

from __future__ import annotations


def main() -> int:
    """Run it and return the exit code: 130 for Ctrl-C, also while it is still being loaded."""
    try:
        from edge_vc_runtime.cli import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
