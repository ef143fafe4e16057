"""A bundle's golden recording, played again on an emulated board by every engine.

Runs in the emulated root:

  python3 -m edge_vc_boards.replay BUNDLE ENGINE...
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from edge_vc_runtime.bundle import read_bundle
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.machine import read_machine


def main(argv: list[str]) -> int:
    """Replay and print the differences as JSON, together with the machine's own idea of itself."""
    bundle = read_bundle(argv[0])
    replays = {engine: [asdict(r) for r in replay_golden(bundle, engine)] for engine in argv[1:]}
    machine = asdict(read_machine())
    sys.stdout.write(json.dumps({"machine": machine, "replays": replays}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
