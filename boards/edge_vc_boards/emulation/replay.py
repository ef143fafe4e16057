"""Replays a bundle's golden recording on an emulated board with every engine.

Runs in the emulated root:

  python3 -m edge_vc_boards.emulation.replay BUNDLE ENGINE...
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.profiling.machine import read_machine
from edge_vc_runtime.session import Session


def main(argv: list[str]) -> int:
    """Replay; print the differences, the machine and its default selection as JSON."""
    bundle = read_bundle(argv[0])
    replays = [replay for engine in argv[1:] for replay in replay_golden(bundle, engine)]
    said = {
        "machine": asdict(read_machine()),
        "selection": asdict(Session.open(bundle).selection),
        "replays": [asdict(replay) | {"equal": replay.equal} for replay in replays],
    }
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
