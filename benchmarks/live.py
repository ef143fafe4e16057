"""Microphone to loudspeaker: the shipped bundle live between two null sinks of PulseAudio.

Starts `edge-vc-rt run BUNDLE` as a user would, in its own process on a private sound server,
plays speech into its microphone and records its loudspeaker. Measures

- xruns and late hops, idle and with one busy process per processor at nice 0;
- CPU time as a share of one core, from the kernel's accounting of the process and of its threads
  (those of libpulse belong to the ALSA plugin), its memory, and the growth of its private memory
  (the pool that it shares with the sound server fills up regardless);
- the delay that the loop adds to a bare pass-through, which copies from the input callback to the
  output callback through one ring. A chirp cannot be detected in a converted voice, so it goes
  through a loop whose model has the bundle's hop and look-ahead and passes audio through; the
  bundle itself is measured by the loudness of a probe, to about 5 ms;
- the time from starting the process to the first converted sound, from SIGTERM to its exit, and
  from the sound server's return to the next converted hop;
- stalls of the machine itself in the meantime: a process of high real-time priority on every
  processor repeatedly sleeps for 2 ms and counts how often it woke more than 5 ms late. Nothing
  of lower priority can delay it: such a stall comes from the hypervisor or the firmware, and no
  program meets its deadline during it.

Statistics: counts over the whole run; delays are medians of the repeats. Excludes: real sound
cards, whose converters and drivers add their own delay, and machines other than this one. The
sound server's threads have the priorities that distributions give them if run as root. Other
load on the machine changes the xruns: run it idle.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from live_listener import Listener
from process_figures import cpu_of_threads, cpu_seconds, memory_mb

from edge_vc_export.parity.speech import example_speech
from edge_vc_runtime import __version__
from edge_vc_runtime.devices.backends import open_backend
from edge_vc_runtime.devices.negotiation import negotiate
from edge_vc_runtime.devices.selection import find_device
from edge_vc_runtime.latency.measurement import StreamPair, measure_round_trip
from edge_vc_runtime.latency.signals import ProbeSignal, chirp_signal, speech_signal
from edge_vc_runtime.profiling.machine import detect_environment, read_machine
from edge_vc_runtime.session import Session

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "edge_vc" / "assets" / "kathleen-base.evc"
RATE = 48000
GOALS = {
    "idle_xruns": 0,
    "loaded_xruns_per_minute": 1.0,
    "added_delay_ms": "algorithmic + one hop + 2",
    "cpu_percent_of_one_core": 10.0,
    "rss_mb": 90.0,
    "own_memory_growth_mb": 1.0,
    "start_to_first_sound_s": 1.0,
    "stop_s": 0.5,
    "resume_s": 2.0,
}
EXAMPLES = """examples:
  python benchmarks/live.py --json benchmarks/results/live.json
      ten minutes idle, five under load
  python benchmarks/live.py --minutes 0.2 --loaded-minutes 0.2 --repeats 2
      a quick check that it runs
"""


def main(argv: list[str] | None = None) -> int:
    """Measure, print and save the figures; return the exit code."""
    arguments = build_parser().parse_args(argv)
    # A shell starts background jobs with SIGINT ignored, and their child processes inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    session = Session.open(arguments.bundle)
    with sound_server() as sound:
        result = measure(sound, session, arguments)
    for name, value in result["figures"].items():
        goal = f"   goal {GOALS[name]}" if name in GOALS else ""
        print(f"{name:28} {value}{goal}")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="live.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--bundle", type=Path, default=BUNDLE, help="default: kathleen-base")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the idle run (10)")
    parser.add_argument("--loaded-minutes", type=float, default=5.0, help="of the other (5)")
    parser.add_argument("--repeats", type=int, default=5, help="of every delay and time (5)")
    parser.add_argument("--json", type=Path, help="keep the result here")
    return parser


def measure(sound: Any, session: Session, options: argparse.Namespace) -> dict[str, Any]:
    """Return everything as plain data."""
    start, stop = start_and_stop(sound, options)
    bare = delay(sound, child("bare"), chirp_signal, options.repeats)
    passed = delay(sound, child("passing"), chirp_signal, options.repeats)
    converted = delay(sound, command(options.bundle), seeded_speech(), options.repeats)
    idle = watch(sound, options.bundle, options.minutes, hogs=0)
    cores = os.cpu_count() or 1
    loaded = watch(sound, options.bundle, options.loaded_minutes, hogs=cores)
    hop_ms = session.hop / session.sample_rate * 1000
    algorithmic = hop_ms + session.delay / session.sample_rate * 1000
    return {
        "benchmark": "live",
        "about": " ".join((__doc__ or "").split()),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "python": platform.python_version(),
        "environment": detect_environment(),
        "machine": asdict(read_machine()),
        "bundle": options.bundle.name,
        "engine": " ".join(session.engine),
        "precision": session.model.precision,
        "goals": GOALS | {"added_delay_ms": algorithmic + hop_ms + 2},
        "figures": {
            "idle_minutes": options.minutes,
            "idle_xruns": idle["xruns"],
            "idle_late": idle["late"],
            "idle_machine_stalls": idle["stalls"]["over_5_ms"],
            "idle_worst_machine_stall_ms": idle["stalls"]["worst_ms"],
            "loaded_minutes": options.loaded_minutes,
            "loaded_xruns_per_minute": round(loaded["xruns"] / options.loaded_minutes, 2),
            "loaded_late": loaded["late"],
            "loaded_machine_stalls": loaded["stalls"]["over_5_ms"],
            "loaded_worst_machine_stall_ms": loaded["stalls"]["worst_ms"],
            "bare_delay_ms": bare,
            "passing_delay_ms": passed,
            "converted_delay_ms": converted,
            "added_delay_ms": difference(passed, bare),
            "algorithmic_ms": algorithmic,
            "cpu_percent_of_one_core": idle["cpu_percent"],
            **{
                f"cpu_percent_{name}": value
                for name, value in idle["cpu_percent_of_threads"].items()
                if value >= 0.1
            },
            "rss_mb": idle["rss_mb"],
            "own_memory_growth_mb": idle["own_memory_growth_mb"],
            "start_to_first_sound_s": start,
            "stop_s": stop,
            "resume_s": resume(sound, options.bundle),
        },
        "idle": idle["live"],
        "loaded": loaded["live"],
    }


def difference(a: float | None, b: float | None) -> float | None:
    """Return ``a - b`` if both were measured."""
    return None if a is None or b is None else round(a - b, 2)


def command(bundle: Path, *arguments: str) -> list[str]:
    """Return the command that a user would run."""
    return [sys.executable, "-m", "edge_vc_runtime", "run", str(bundle), *arguments]


def child(name: str) -> list[str]:
    """Return the command that runs one of `live_children` in its own process."""
    return [sys.executable, str(ROOT / "benchmarks" / "live_children.py"), name]


@contextmanager
def sound_server() -> Iterator[Any]:
    """Run the tests' private sound server; this process and its children use it."""
    spec = spec_from_file_location("live_sound", ROOT / "tests" / "live" / "live_sound.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["live_sound"] = module
    spec.loader.exec_module(module)
    with module.SoundServer(real_time=os.geteuid() == 0) as server:
        os.environ.pop("PULSE_LATENCY_MSEC", None)
        os.environ.update(server.environment)
        yield server


@contextmanager
def running(line: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run a process until the block ends, then end it with SIGINT."""
    process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    drained = threading.Thread(target=lambda: process.stderr and process.stderr.read(), daemon=True)
    drained.start()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        drained.join()


@contextmanager
def speaking(sound: Any) -> Iterator[None]:
    """Play speech into the microphone, repeatedly, while the block runs."""
    speech = example_speech(30.0, RATE)
    over = threading.Event()

    def say() -> None:
        while not over.is_set():
            feed = sound.feed(speech)
            while feed.poll() is None:
                if over.wait(0.1):
                    feed.kill()
            feed.wait()

    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def watch(sound: Any, bundle: Path, minutes: float, hogs: int) -> dict[str, Any]:
    """Convert speech for some minutes; return counts, report section, CPU share and memory."""
    place = Path(sound.folder) / "live-report.json"
    seconds = minutes * 60
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(hogs)]
    try:
        with speaking(sound), stalls() as stalled:
            line = command(bundle, "--seconds", f"{seconds:g}", "--report", str(place))
            process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(min(5.0, seconds / 3))  # start-up uses more CPU than the run
            threads_before = cpu_of_threads(process.pid)
            before, begin = cpu_seconds(process.pid), time.monotonic()
            own_before = memory_mb(process.pid, "RssAnon")
            time.sleep(seconds * 0.9 - min(5.0, seconds / 3))
            used, passed = cpu_seconds(process.pid) - before, time.monotonic() - begin
            threads = cpu_of_threads(process.pid)
            memory = memory_mb(process.pid, "VmRSS")
            own = memory_mb(process.pid, "RssAnon")
            process.wait(120)
    finally:
        for hog in busy:
            hog.kill()
            hog.wait()
    live = json.loads(place.read_text())["live"]
    return {
        "live": live,
        "xruns": live["input_overflows"] + live["output_underflows"],
        "late": live["late"],
        "cpu_percent": round(100 * used / passed, 2),
        "cpu_percent_of_threads": {
            name: round(100 * (threads[name] - threads_before.get(name, 0.0)) / passed, 2)
            for name in sorted(threads)
        },
        "rss_mb": memory,
        "own_memory_growth_mb": round(own - own_before, 2),
        "stalls": stalled,
    }


@contextmanager
def stalls() -> Iterator[dict[str, float | None]]:
    """Watch every processor while the block runs; counts are available after it ends."""
    found: dict[str, float | None] = {"over_5_ms": None, "worst_ms": None}
    watchers = [
        subprocess.Popen([*child("stalls"), str(core)], stdout=subprocess.PIPE, text=True)
        for core in sorted(os.sched_getaffinity(0))
    ]
    try:
        yield found
    finally:
        for watcher in watchers:
            watcher.send_signal(signal.SIGINT)
        told = [json.loads(watcher.communicate()[0] or "null") for watcher in watchers]
        if all(told):
            found["over_5_ms"] = sum(one["over_5_ms"] for one in told)
            found["worst_ms"] = max(one["worst_ms"] for one in told)


def seeded_speech() -> Callable[[], ProbeSignal]:
    """Return a function that makes a new speech probe on each call."""
    seeds = iter(range(1000))
    return lambda: speech_signal(next(seeds))


def delay(
    sound: Any, line: list[str], signal_of: Callable[[], ProbeSignal], repeats: int
) -> float | None:
    """Return the median delay in ms through a process between both sinks; None: not found."""
    backend = open_backend("auto")
    try:
        with running(line):
            time.sleep(3)
            heard = find_device(backend, "speaker_heard", "input")
            played = find_device(backend, "mic_mouth", "output")
            pair = StreamPair(
                partial(negotiate, backend, heard, "input"),
                partial(negotiate, backend, played, "output"),
            )
            made = measure_round_trip(pair, [signal_of() for _ in range(repeats)])
    finally:
        backend.close()
    return round(made.median_ms, 2) if made.found else None


def start_and_stop(sound: Any, options: argparse.Namespace) -> tuple[float, float]:
    """Return the median times in s from start to first sound, and from SIGTERM to exit."""
    starts, stops = [], []
    with speaking(sound):
        time.sleep(1)
        for _ in range(options.repeats):
            with Listener(sound) as listener:
                begin = time.monotonic()
                process = subprocess.Popen(
                    command(options.bundle), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                starts.append(listener.first_sound() - begin)
                begin = time.monotonic()
                process.terminate()
                process.wait(20)
                stops.append(time.monotonic() - begin)
    return round(float(np.median(starts)), 3), round(float(np.median(stops)), 3)


def resume(sound: Any, bundle: Path) -> float:
    """Return the time in s from the sound server's return to the first converted sound."""
    with running(command(bundle)):
        time.sleep(3)
        sound.stop()
        time.sleep(3)
        sound.start()
        begin = time.monotonic()
        with speaking(sound), Listener(sound) as listener:
            return round(listener.first_sound() - begin, 3)


if __name__ == "__main__":
    sys.exit(main())
