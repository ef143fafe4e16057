"""Steps a session between marks, so that the QEMU plugin counts exactly these steps.

Runs in the emulated root, which has only numpy, the engines and `edge_vc_runtime`:

  python3 -m edge_vc_boards.emulation.hop_counter BUNDLE ENGINE PRECISION STEPS TIER

``auto`` is the engine, and ``-`` the precision or tier, that the board would select. Mark 1 follows
``STEPS`` whole steps of `Session.step`, mark 2 the same number of runs of the engine alone; then a
mark 3 follows each of the same number of whole steps.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from itertools import cycle, islice

from edge_vc_boards.emulation.counts import mark_number
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.engines import load_engine
from edge_vc_runtime.profiling.machine import read_machine
from edge_vc_runtime.profiling.session_facts import setup_of, subject_of
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session

WARM_UP = 20
"""Steps before the first mark: engines select kernels and pack weights in the first few."""


def main(argv: list[str]) -> int:
    """Run the steps and print what ran as JSON."""
    file, engine, precision, steps, tier = argv
    bundle = read_bundle(file).tier(_named(tier))
    session = Session.open(bundle, engine, threads=1, precision=_named(precision))
    hops = _speech(bundle, session.hop)
    _between_marks(session.step, hops, int(steps), 1)
    factory, data = load_engine(session.selection.engine), bundle.read(session.model.file)
    alone = factory(bundle.manifest, session.model, data, 1)

    def run(hop: Samples) -> None:
        alone.input[:] = hop  # a changing input; otherwise the state would settle
        alone.run()

    _between_marks(run, hops, int(steps), 2)
    session.reset()
    _mark_each(session.step, hops, int(steps))
    said = {
        "subject": asdict(subject_of(session)),
        "setup": asdict(setup_of(session, WARM_UP, "golden")),
        "machine": asdict(read_machine()),
    }
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


def _named(given: str) -> str | None:
    return None if given == "-" else given


def _speech(bundle: Bundle, hop: int) -> list[Samples]:
    audio = bundle.golden()["input"]
    return list(audio[: audio.size // hop * hop].reshape(-1, hop))


def _between_marks(
    step: Callable[[Samples], object], hops: list[Samples], steps: int, mark: int
) -> None:
    """Warm up, then count exactly ``steps`` calls; counting starts at mark 0."""
    for hop in islice(cycle(hops), WARM_UP):
        step(hop)
    counted = list(islice(cycle(hops), steps))
    gc.collect()
    _set_mark(0)
    for hop in counted:
        step(hop)
    _set_mark(mark)


def _mark_each(step: Callable[[Samples], object], hops: list[Samples], steps: int) -> None:
    """Warm up, then set a mark after each of ``steps`` calls."""
    for hop in islice(cycle(hops), WARM_UP):
        step(hop)
    counted = list(islice(cycle(hops), steps))
    gc.collect()
    _set_mark(0)
    for hop in counted:
        step(hop)
        _set_mark(3)


def _set_mark(number: int) -> None:
    with suppress(ProcessLookupError):
        os.getpgid(mark_number(number))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
