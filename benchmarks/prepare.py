"""Cost of preparing speech: one long recording goes through `edge-vc prepare`.

The recording consists of a corpus's sentences, shuffled, with pauses in between, repeated until it
has the requested length: one FLAC file, so that only streaming keeps memory low. Time is that of
the whole command, CPU time that of all its processes; memory is the largest resident set of any
one process, and of all together, sampled five times a second. No warm-up; one run.

Excludes: slow disks (written files stay in the page cache), and formats other than FLAC.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

from edge_vc.data.corpus import Corpus
from edge_vc_runtime.profiling.machine import read_machine

RATE = 16000
EXAMPLES = """examples:
  python benchmarks/prepare.py corpus/train --hours 1
  python benchmarks/prepare.py corpus/train --hours 12 --json benchmarks/results/prepare.json
"""


def main(argv: list[str] | None = None) -> int:
    """Measure, print and save the figures; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="prepare.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("corpus", type=Path, help="recordings to make the long one from")
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0], help="lengths (1)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--json", type=Path, help="keep the result here")
    arguments = parser.parse_args(argv)
    figures = []
    for hours in arguments.hours:
        with tempfile.TemporaryDirectory() as folder:
            seconds = write_long(arguments.corpus, Path(folder) / "in" / "long.flac", hours)
            figures.append(measure(Path(folder), seconds, arguments.jobs))
        print(json.dumps(figures[-1]))
    result = {
        "benchmark": "prepare",
        "about": " ".join(str(__doc__).split()),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": "host",
        "machine": read_machine(),
        "jobs": arguments.jobs,
        "figures": figures,
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1, sort_keys=True, default=vars) + "\n")
    return 0


def write_long(corpus: Path, path: Path, hours: float) -> float:
    """Write the recording, sentence by sentence, and return its length in seconds."""
    rng = np.random.default_rng(0)
    utterances = list(Corpus.open(corpus))
    path.parent.mkdir(parents=True)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        while file.frames < hours * 3600 * RATE:
            samples = utterances[int(rng.integers(0, len(utterances)))].read(RATE)
            pause = rng.normal(0, 1e-4, int(rng.uniform(0.2, 1.5) * RATE))
            file.write(np.concatenate([samples, pause]))
        return float(file.frames / RATE)


def measure(folder: Path, seconds: float, jobs: int) -> dict[str, Any]:
    """Prepare ``folder/in`` and return time and memory."""
    command = [sys.executable, "-m", "edge_vc", "prepare", folder / "in", "-o", folder / "out"]
    command += ["--jobs", str(jobs)]
    start = time.monotonic()
    peak_one = peak_all = cpu_seconds = 0.0
    with subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL) as run:
        root = psutil.Process(run.pid)
        while run.poll() is None:
            try:
                family = [root, *root.children(recursive=True)]
                sizes = [process.memory_info().rss for process in family]
                cpu_seconds = max(cpu_seconds, sum(sum(p.cpu_times()[:2]) for p in family))
            except psutil.NoSuchProcess:
                continue
            peak_one, peak_all = max(peak_one, *sizes), max(peak_all, sum(sizes))
            time.sleep(0.2)
    if run.returncode:
        raise SystemExit(f"prepare.py: the command ended with {run.returncode}")
    report = json.loads((folder / "out" / "prepare.json").read_text())
    wall = time.monotonic() - start
    return {
        "audio_seconds": round(seconds, 1),
        "pieces": report["total"]["pieces"],
        "wall_seconds": round(wall, 1),
        "real_time_factor": round(wall / seconds, 5),
        "cpu_real_time_factor": round(cpu_seconds / seconds, 5),
        "peak_rss_mb": round(peak_one / 1e6, 1),
        "peak_rss_all_mb": round(peak_all / 1e6, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
