"""Cost of denormal numbers in the backward pass of a trained network.

    python benchmarks/denormals.py --json benchmarks/results/denormals.json

Forward and backward pass of the shipped content encoder and the shipped voice over a recording,
one thread, alternately with denormals computed and flushed to zero in one process; CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pysptk
import soundfile
import torch
from torch import Tensor

from edge_vc.models.content.distilled import DistilledNetwork, load_distilled
from edge_vc.models.content.hama import BLOCKS, open_hama
from edge_vc.models.voice.file import load_voice
from edge_vc.training.denormals import flushed_denormals

CROPS, FRAMES = 12, 160


def contents_passes(heard: Tensor) -> dict[str, Callable[[], Tensor]]:
    """Return losses of the content encoder: with its shipped and with initial weights."""
    from edge_vc.assets import CONTENTS_WEIGHTS

    answers = torch.zeros(*heard.shape[:2], load_distilled(CONTENTS_WEIGHTS).config.width)

    def passing(network: DistilledNetwork) -> Callable[[], Tensor]:
        network.requires_grad_(True)
        return lambda: (network.standardised(heard) - answers).square().mean()

    torch.manual_seed(0)
    trained = load_distilled(CONTENTS_WEIGHTS)
    return {
        "contents, new": passing(DistilledNetwork(trained.config)),
        "contents": passing(trained),
    }


def voice_pass(heard: Tensor) -> Callable[[], Tensor]:
    """Return a loss of the shipped voice's decoder."""
    from edge_vc.assets import CONTENTS_WEIGHTS, DEFAULT_WEIGHTS

    with torch.no_grad():
        contents = load_distilled(CONTENTS_WEIGHTS)(heard)
    voice = load_voice(DEFAULT_WEIGHTS)
    voice.requires_grad_(True)
    frames = contents.shape[1] * voice.config.frames_per_content
    f0, loudness = torch.full((len(contents), frames), 150.0), torch.zeros(len(contents), frames)
    mean = torch.full((len(contents),), 5.0)
    return lambda: torch.as_tensor(voice.bands(contents, f0, mean, loudness).square().mean())


def seconds(loss: Callable[[], Tensor]) -> float:
    """Return the CPU seconds of one forward and backward pass."""
    began = time.process_time()
    loss().backward()
    return time.process_time() - began


def measure(loss: Callable[[], Tensor], rounds: int) -> dict[str, dict[str, float]]:
    """Return medians and spreads over the rounds of both settings and of their ratio."""
    seconds(loss)  # the first run selects kernels
    rows = []
    for _ in range(rounds):
        computed = seconds(loss)
        with flushed_denormals():
            rows.append((computed, seconds(loss)))
    return {
        "computed_s": _spread([computed for computed, _ in rows]),
        "flushed_s": _spread([flushed for _, flushed in rows]),
        "ratio": _spread([computed / flushed for computed, flushed in rows]),
    }


def _spread(values: list[float]) -> dict[str, float]:
    found = {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}
    return {name: round(value, 4) for name, value in found.items()}


def main() -> None:
    """Measure, print and write; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    audio, _ = soundfile.read(pysptk.util.example_audio_file(), dtype="float32")
    frames = open_hama(BLOCKS).blocks(torch.from_numpy(audio))
    heard = frames.repeat(-(-CROPS * FRAMES // len(frames)), 1)[: CROPS * FRAMES]
    heard = heard.unflatten(0, (CROPS, FRAMES))
    losses = {**contents_passes(heard), "voice": voice_pass(heard)}
    found = {
        "environment": "host",
        "torch": torch.__version__,
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "networks": {name: measure(loss, args.rounds) for name, loss in losses.items()},
    }
    text = json.dumps(found, indent=1)
    sys.stdout.write(f"{text}\n")
    if args.json:
        args.json.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
