"""Steps a session between marks, so that the QEMU plugin counts exactly these steps.

Runs in the emulated root, where only numpy, the engines and `edge_vc_runtime` are:

  python3 -m edge_vc_boards.emulation.hop_counter BUNDLE ENGINE PRECISION STEPS

Mark 1 ends ``STEPS`` whole steps of `Session.step`, mark 2 as many runs of the engine alone.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle, islice

from edge_vc_boards.emulation.counts import mark_number
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.engines import load_engine
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session

WARM_UP = 20
"""Steps before the first mark: engines choose and pack on the first few."""


def main(argv: list[str]) -> int:
    """Run the steps and print, as JSON, what ran."""
    file, engine, precision, steps = argv
    bundle = read_bundle(file)
    session = Session.open(bundle, engine, threads=1, precision=precision)
    hops = _speech(bundle, session.hop)
    _between_marks(session.step, hops, int(steps), 1)
    factory, data = load_engine(engine), bundle.read(session.model.file)
    alone = factory(bundle.manifest, session.model, data, 1)

    def run(hop: Samples) -> None:
        alone.input[:] = hop  # a changing input, or states would settle
        alone.run()

    _between_marks(run, hops, int(steps), 2)
    sys.stdout.write(json.dumps({"engine": session.engine, "model": session.model.file}) + "\n")
    return 0


def _speech(bundle: Bundle, hop: int) -> list[Samples]:
    audio = bundle.golden()["input"]
    return list(audio[: audio.size // hop * hop].reshape(-1, hop))


def _between_marks(
    step: Callable[[Samples], object], hops: list[Samples], steps: int, mark: int
) -> None:
    """Warm up, then count exactly ``steps`` calls; mark 0 is where counting starts."""
    for hop in islice(cycle(hops), WARM_UP):
        step(hop)
    counted = list(islice(cycle(hops), steps))
    gc.collect()
    _set_mark(0)
    for hop in counted:
        step(hop)
    _set_mark(mark)


def _set_mark(number: int) -> None:
    with suppress(ProcessLookupError):
        os.getpgid(mark_number(number))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
