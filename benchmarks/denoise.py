"""Noise reduction: speech with known noise added is denoised and compared with the clean speech.

Speech: 12 readers and 4 sentences of the target, 8 s each at most. Noise: white, and two recorded
noises per sentence, at 5, 15 and 30 dB. Statistics: means of scale-invariant signal-to-distortion
ratio (dB), PESQ (wide band) and STOI. `noisereduce` and `pyrnnoise` are included if they are
installed; RNNoise runs at 48 kHz and its delay is compensated.

Excludes: listening tests, reverberation, and intermittent noise.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi

from edge_vc.audio.denoise import METHODS, denoise
from edge_vc.audio.io import read_audio, resample
from edge_vc.augmentation.effects import add_noise
from edge_vc.data.corpus import Corpus

Audio = NDArray[np.float32]
Method = Callable[[Audio], Audio]
RATE = 16000
RATIOS_DB = (5.0, 15.0, 30.0)
EXAMPLES = """examples:
  python benchmarks/denoise.py corpus/train --noise corpus/train/noise
  python benchmarks/denoise.py corpus/train --noise noises/ --json benchmarks/results/denoise.json
"""


def main(argv: list[str] | None = None) -> int:
    """Measure, print a table and save the figures; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="denoise.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("corpus", type=Path, help="with roles source and target")
    parser.add_argument("--noise", type=Path, required=True, help="folder of noise recordings")
    parser.add_argument("--json", type=Path, help="keep the result here")
    arguments = parser.parse_args(argv)
    methods = denoisers()
    scores: dict[tuple[str, float, str], list[tuple[float, ...]]] = defaultdict(list)
    for kind, ratio_db, clean, noisy in mixtures(arguments.corpus, arguments.noise):
        for name, method in methods.items():
            scores[kind, ratio_db, name].append(score(clean, method(noisy)))
    figures: list[dict[str, Any]] = []
    for (kind, ratio_db, name), rows in sorted(scores.items()):
        values = [round(float(value), 3) for value in np.mean(rows, axis=0)]
        scored = dict(zip(("si_sdr_db", "pesq", "stoi"), values, strict=True))
        figures.append({"noise": kind, "snr_db": ratio_db, "method": name, **scored})
        print(f"{kind:9} {ratio_db:4.0f} dB  {name:14}", *(f"{value:8.3f}" for value in values))
    if arguments.json:
        result = {
            "benchmark": "denoise",
            "about": " ".join(str(__doc__).split()),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "environment": "host",
            "figures": figures,
        }
        arguments.json.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    return 0


def denoisers() -> dict[str, Method]:
    """Return the methods to compare by name: ours, and libraries that are installed."""
    methods: dict[str, Method] = {"none": lambda noisy: noisy}
    for name in METHODS:
        methods[name] = lambda noisy, name=name: denoise(noisy, RATE, method=name)
    try:
        import noisereduce

        methods["noisereduce"] = lambda noisy: noisereduce.reduce_noise(
            noisy, RATE, stationary=True, prop_decrease=0.82
        )
    except ImportError:
        print("denoise.py: noisereduce is not installed", file=sys.stderr)
    try:
        from pyrnnoise import RNNoise

        methods["rnnoise"] = lambda noisy: _rnnoise(RNNoise(48000), noisy)
    except ImportError:
        print("denoise.py: pyrnnoise is not installed", file=sys.stderr)
    return methods


def mixtures(corpus: Path, noise: Path) -> Iterator[tuple[str, float, Audio, Audio]]:
    """Yield kind of noise, ratio in dB, clean speech and noisy speech."""
    rng = np.random.default_rng(0)
    opened = Corpus.open(corpus)
    sources = [u for u in opened.select(role="source") if u.seconds > 5]
    targets = list(opened.select(role="target"))
    noises = sorted(noise.glob("*.flac")) + sorted(noise.glob("*.wav"))
    picked = [sources[i] for i in rng.choice(len(sources), 12, replace=False)]
    picked += [targets[i] for i in rng.choice(len(targets), 4, replace=False)]
    for number, utterance in enumerate(picked):
        clean = utterance.read(RATE)[: 8 * RATE]
        clean = clean / np.abs(clean).max() / 2
        beds = [("white", rng.standard_normal(clean.size).astype(np.float32))]
        for path in (noises[(2 * number + turn) % len(noises)] for turn in range(2)):
            beds.append(("recorded", read_audio(path, RATE)))
        for kind, bed in beds:
            for ratio_db in RATIOS_DB:
                yield kind, ratio_db, clean, add_noise(clean, bed, ratio_db)


def score(clean: Audio, made: Audio) -> tuple[float, float, float]:
    """Return SI-SDR in dB, PESQ and STOI of ``made`` ``[T]`` against ``clean`` ``[T]``."""
    scale = float(clean @ made) / float(clean @ clean)
    error = made - scale * clean
    ratio = scale**2 * float(clean @ clean) / float(error @ error)
    return 10 * np.log10(ratio), pesq(RATE, clean, made, "wb"), stoi(clean, made, RATE)


def _rnnoise(model: Any, noisy: Audio) -> Audio:
    wide = np.round(resample(noisy, RATE, 48000) * 32767).astype(np.int16)
    wide = np.pad(wide, (0, 4800))
    frames = [frame for _, frame in model.denoise_chunk(wide[None], partial=True)]
    made = np.concatenate(frames, axis=1)[0].astype(np.float32) / 32767
    return _in_time(noisy, resample(made, 48000, RATE))


def _in_time(reference: Audio, made: Audio) -> Audio:
    """Return ``made`` with its delay (up to 100 ms) removed, as long as ``reference``."""
    body = reference.size - RATE // 10
    lags = [
        float(reference[:body] @ np.resize(made[lag:], body)) if made.size > lag + body else 0.0
        for lag in range(RATE // 10)
    ]
    moved = made[int(np.argmax(lags)) :][: reference.size]
    return np.pad(moved, (0, reference.size - moved.size))


if __name__ == "__main__":
    sys.exit(main())
