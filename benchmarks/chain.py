"""Cost of the chain per hop: every stage, the whole chain and the model, interleaved.

    python benchmarks/chain.py kathleen-base.evc --json benchmarks/results/chain.json

Back to back ("tight") in one thread on a synthetic voice: the median over all hops of several
rounds, with the rows interleaved so that drift of the machine's clock affects them equally. Not
paced: with one hop every 10 ms caches are cold and each hop, including the model, costs several
times as much. Excludes the audio callback, resampling and the loop.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.equalizer import Equalizer
from edge_vc_runtime.chain.gain import Gain
from edge_vc_runtime.chain.high_pass import HighPass
from edge_vc_runtime.chain.level_follow import LevelFollow
from edge_vc_runtime.chain.limiter import Limiter
from edge_vc_runtime.chain.noise_reduction import NoiseReduction
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.pitch_shift import PitchShift
from edge_vc_runtime.chain.voice_detector import VoiceDetector
from edge_vc_runtime.input_guard import InputGuard
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session

ON = {"noise_reduction": 1, "pitch": 3, "low": 3, "mid": -2, "high": 3, "gain": 2, "mix": 80}
LIVE = {"gate": 1, "level_follow": 1}


class _Nothing:
    """A model without cost, to measure the chain alone."""

    def __init__(self, session: Session) -> None:
        self.hop, self.sample_rate, self.delay = session.hop, session.sample_rate, session.delay

    def step(self, audio: Samples) -> Samples:
        """Return the input."""
        return audio

    def reset(self) -> None:
        """Do nothing: there is no state."""


def rows(session: Session) -> dict[str, Callable[[Samples], object]]:
    """Return the functions to measure by name."""
    rate, hop, on = session.sample_rate, session.hop, Parameters({**ON, **LIVE})
    follow, detector = LevelFollow(rate, hop, on, session.delay), VoiceDetector(rate, hop)

    def level_follow(audio: Samples) -> None:
        follow.listen(audio, True)
        follow.step(audio)

    return {
        "model": session.step,
        "input guard": InputGuard(hop).step,
        "high-pass": HighPass(rate, hop).step,
        "voice detector": lambda audio: detector.step(audio, -70.0),
        "level follow": level_follow,
        "limiter (idle)": Limiter(rate, hop).step,
        "noise reduction": NoiseReduction(rate, hop, on).step,
        "pitch": PitchShift(rate, hop, on).step,
        "equaliser": Equalizer(rate, hop, on).step,
        "gain": Gain(rate, hop, on).step,
        "chain, live defaults, without the model": Chain(_Nothing(session), Parameters(LIVE)).step,
        "chain, everything on, without the model": Chain(_Nothing(session), on).step,
        "chain, live defaults, nobody speaks": _on_silence(session, rate, hop),
    }


def _on_silence(session: Session, rate: int, hop: int) -> Callable[[Samples], object]:
    chain = Chain(_Nothing(session), Parameters(LIVE))
    noise = (0.001 * np.random.default_rng(0).standard_normal(hop)).astype(np.float32)
    return lambda audio: chain.step(noise)


def voice(seconds: float, rate: int) -> Samples:
    """Return harmonics of 140 Hz with a syllabic envelope."""
    t = np.arange(round(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 16))
    return (0.1 * tone * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))).astype(np.float32)


def measure(session: Session, rounds: int, hops: int) -> dict[str, float]:
    """Return the median time of a hop in us by name."""
    audio = voice((hops + 1) * session.hop / session.sample_rate, session.sample_rate)
    pieces = [audio[k * session.hop : (k + 1) * session.hop] for k in range(hops)]
    table = rows(session)
    times: dict[str, list[int]] = {name: [] for name in table}
    for turn in range(rounds + 1):
        for name, step in table.items():
            for piece in pieces:
                begin = time.perf_counter_ns()
                step(piece)
                if turn:  # the first round warms up
                    times[name].append(time.perf_counter_ns() - begin)
    return {name: float(np.median(values)) / 1000 for name, values in times.items()}


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--hops", type=int, default=200, help="per row and round")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    session = Session.open(arguments.bundle, threads=1)
    found = measure(session, arguments.rounds, arguments.hops)
    for name, us in found.items():
        print(f"{name:<42} {us:8.1f} us per hop  {us / found['model']:6.2f} of the model")
    if arguments.json:
        facts = {
            "environment": "host",
            "machine": platform.machine(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "engine": session.engine[0],
            "bundle": session.manifest.name,
            "hop": session.hop,
            "sample_rate": session.sample_rate,
            "statistic": "median, tight, interleaved",
            "us_per_hop": {name: round(us, 2) for name, us in found.items()},
        }
        arguments.json.write_text(json.dumps(facts, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
