"""`make fuzz`: each reader in turn, by atheris where it is installed, else by own mutations.

Coverage guides atheris: it keeps what reaches new code. Inputs that raise something unexpected,
take more than 10 s or 2 GB are findings; they are kept in build/fuzz.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import random
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "runtime")]  # as pytest has it
ROOT = HERE.parent.parent
FINDINGS = ROOT / "build" / "fuzz"


def main() -> int:
    """Run all readers, or one; return 1 where there was a finding."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=float, default=600.0, help="for all readers together")
    parser.add_argument("--one", help="name of one reader")
    arguments = parser.parse_args()
    from fuzz_targets import TARGETS

    if arguments.one:
        return run_one(arguments.one, arguments.seconds)
    FINDINGS.mkdir(parents=True, exist_ok=True)
    each = arguments.seconds / len(TARGETS)
    executions = findings = 0
    for name in TARGETS:
        count, found = in_a_process(name, each)
        executions, findings = executions + count, findings + found
        say(f"{name}: {count:,} executions, {found} findings")
    say(f"{executions:,} executions of {len(TARGETS)} readers, {findings} findings")
    return 1 if findings else 0


def in_a_process(name: str, seconds: float) -> tuple[int, int]:
    """Fuzz one reader in a process of its own; return executions and findings."""
    command = [sys.executable, __file__, "--one", name, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    said = done.stdout + done.stderr
    counted = re.findall(r"number_of_executed_units: (\d+)", said)
    if done.returncode:
        say(said[-3000:])
    return int(counted[-1]) if counted else 0, int(done.returncode != 0)


def run_one(name: str, seconds: float) -> int:
    """Fuzz one reader in this process."""
    if importlib.util.find_spec("atheris") is None:
        return run_mutations(name, seconds)
    return run_atheris(name, seconds)


def run_atheris(name: str, seconds: float) -> int:
    import atheris
    from fuzz_targets import TARGETS, expected

    target = TARGETS[name]
    with atheris.instrument_imports(include=["edge_vc_runtime", "edge_vc", "edge_vc_boards"]):
        for seed in target.seeds():
            target.read(seed)  # imports what it needs
    corpus = FINDINGS / "corpus" / name.replace(" ", "-")
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)

    def once(data: bytes) -> None:
        try:
            target.read(data)
        except Exception as error:
            if not expected(error):
                raise

    options = [
        f"-max_total_time={max(1, round(seconds))}", "-timeout=10", "-rss_limit_mb=2048",
        "-print_final_stats=1", "-max_len=100000", "-seed=1", f"-artifact_prefix={FINDINGS}/",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], once)
    atheris.Fuzz()
    return 0


def run_mutations(name: str, seconds: float) -> int:
    """Change good files at random until the time is over."""
    from fuzz_mutation import mutated
    from fuzz_targets import TARGETS, expected

    target, chance, count = TARGETS[name], random.Random(1), 0
    seeds, end = target.seeds(), time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(chance.choice(seeds), chance)
        count += 1
        try:
            target.read(data)
        except Exception as error:
            if not expected(error):
                place = FINDINGS / f"crash-{hashlib.sha256(data).hexdigest()[:16]}"
                place.write_bytes(data)
                raise
    say(f"stat::number_of_executed_units: {count}")
    return 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
