"""The board command, ``edge-vc-rt`` and ``python -m edge_vc_runtime``."""

from __future__ import annotations


def main() -> int:
    """Run the command and return its exit code: 130 for Ctrl-C, even while it is loading."""
    try:
        from edge_vc_runtime.cli import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
