"""The commands, from parsed arguments to an exit code."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from edge_vc_runtime.audio.sink import AudioSink
from edge_vc_runtime.audio.sinks import sink_kind
from edge_vc_runtime.audio.source import AudioSource
from edge_vc_runtime.audio.sources import source_kind
from edge_vc_runtime.audio.stdin_source import open_stdin
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.bundle.signature import SignatureError, SignerList
from edge_vc_runtime.chain.input_options import InputOptions
from edge_vc_runtime.chain.options import ChainOptions
from edge_vc_runtime.chain.time_stretch import TimeStretch
from edge_vc_runtime.descriptions import (
    describe_bundle,
    describe_comparison,
    describe_input,
    describe_output,
    describe_replay,
    describe_selection,
    describe_signature,
    describe_signer,
)
from edge_vc_runtime.devices.backend import Direction
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.selection import known_board, plan_engine, resolve_threads
from edge_vc_runtime.errors import UsageError
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.live.offline import convert_stream
from edge_vc_runtime.message import one_line, printable
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.progress import ProgressBar
from edge_vc_runtime.schema.fields import FieldError
from edge_vc_runtime.session import Session
from edge_vc_runtime.trust import TrustPolicy, check_trust, machine_policy
from edge_vc_runtime.vetting.bundle_check import check_bundle

_RATES = (4000, 192_000)


def run(arguments: argparse.Namespace) -> int:
    """``run BUNDLE IN OUT``: convert a file or a stream."""
    _check_rate("--output-rate", arguments.output_rate)
    _check_rate("--input-rate", arguments.input_rate)
    kind = source_kind(arguments.input)
    if arguments.input_rate and kind.states_rate:
        raise UsageError(
            f"--input-rate is for raw audio on stdin; a {kind.name} gives its own rate"
        )
    options = ChainOptions.from_arguments(arguments)
    session = _open(arguments)
    inputs_asked = InputOptions.from_arguments(arguments)
    inputs_asked.apply(session)
    if inputs_asked.stream and options.chain_asked:
        raise UsageError("--stream goes hop by hop with the recording: leave the voice options out")
    streamed = inputs_asked.streamed(session)
    say = (lambda line: None) if arguments.quiet else _say
    converter = options.build(session, live=False, say=say) if options.chain_asked else streamed
    stretch = TimeStretch(session.sample_rate, options.speed) if options.speed else None
    source = _source(arguments, session.sample_rate)
    sink: AudioSink | None = None
    try:
        say(describe_input(source, session))
        said = source.notice
        if said:
            say(said)
        rate = arguments.output_rate or session.sample_rate
        sink = sink_kind(arguments.output).open(arguments.output, rate)
        total = source.frames / source.sample_rate if source.frames else None
        bar = ProgressBar(f"{session.manifest.name}", total)
        try:
            progress = None if arguments.quiet else bar.update
            done = convert_stream(converter, source, sink, rate, progress, stretch)
        finally:
            bar.close()
        if source.notice and source.notice != said:  # for a pipe, only known at the end
            say(source.notice)
    except BaseException:  # a signal may come between any two of these
        if sink is not None:
            sink.abort()
        raise
    finally:
        source.close()
    say(describe_output(sink, rate, done))
    return 0


def _source(arguments: argparse.Namespace, model_rate: int) -> AudioSource:
    """Open IN; raw audio has the model's rate unless the user gives another."""
    rate = arguments.input_rate or model_rate
    if arguments.raw:
        if arguments.input != "-":
            raise UsageError("--raw is for audio on stdin; give - for IN")
        return open_stdin(sys.stdin.fileno(), rate, raw=True)
    return source_kind(arguments.input).open(arguments.input, rate)


def profile(arguments: argparse.Namespace) -> int:
    """``profile BUNDLE``: measure, show, write."""
    from edge_vc_runtime.profiling.profiler import MODES, ProfileOptions
    from edge_vc_runtime.profiling.profiler import profile as measure

    bars: dict[str, ProgressBar] = {}

    def progress(mode: str, done: float, total: float) -> None:
        bars.setdefault(mode, ProgressBar(mode, total)).update(done)

    try:
        made = measure(
            arguments.bundle,
            ProfileOptions(
                engine=arguments.engine,
                threads=arguments.threads,
                precision=arguments.precision,
                tier=arguments.tier,
                modes=MODES if arguments.mode == "both" else (arguments.mode,),
                seconds=arguments.seconds,
                warmup_hops=arguments.warmup,
                environment=arguments.environment,
                cold_start=not arguments.no_cold_start,
                ops=not arguments.no_ops,
            ),
            progress,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    finally:
        for bar in bars.values():
            bar.close()
    _show(made, arguments)
    return 3 if arguments.fail_on_miss and made.misses else 0


def report(arguments: argparse.Namespace) -> int:
    """``report FILE``: show a saved profile."""
    try:
        made = Report.from_json(Path(arguments.report).read_bytes())
    except OSError as error:
        raise UsageError(f"{arguments.report}: {error.strerror or error}") from error
    except FieldError as error:
        raise UsageError(f"{arguments.report}: {error}") from error
    _show(made, arguments)
    return 0


def inspect(arguments: argparse.Namespace) -> int:
    """``inspect BUNDLE``: check it and print its contents."""
    bundle = read_bundle(arguments.bundle)
    check_bundle(bundle)
    if arguments.json:
        print(bundle.manifest.to_json().decode(), end="")
    else:
        signer = check_trust(bundle, machine_policy())
        lines = [describe_signature(bundle, signer), *_describe_engines(bundle)]
        print("\n".join([*describe_bundle(bundle), *(f"  {line}" for line in lines)]))
    if not arguments.check:
        return 0
    replays = replay_golden(bundle)
    for replay in replays:
        print(describe_replay(replay, len(bundle.manifest.tier_names) > 1))
    if not replays:
        raise EngineError(
            "--check compared nothing: the golden recording has no output of a model that runs here"
        )
    return 0 if all(replay.equal for replay in replays) else 1


def verify(arguments: argparse.Namespace) -> int:
    """``verify BUNDLE``: print who signed it; 1 if it was not signed by an allowed signer."""
    bundle = read_bundle(arguments.bundle)
    try:
        signer = check_trust(bundle, _signers(arguments))
    except SignatureError as error:
        print(f"{arguments.parser.prog}: {one_line(error)}", file=sys.stderr)
        return 1
    if signer is not None:
        print(one_line(f"{bundle.path}: {describe_signer(signer)}"))
    return 0


def _signers(arguments: argparse.Namespace) -> TrustPolicy:
    """Return the policy given by the flags, or this machine's; both reject unsigned bundles."""
    revoked = Path(arguments.revoked) if arguments.revoked else None
    if arguments.allowed_signers:
        listed = SignerList(Path(arguments.allowed_signers), revoked)
        return TrustPolicy(listed, "refuse", arguments.allowed_signers)
    policy = machine_policy()
    if policy.signers is None:
        raise UsageError("this machine has no list of signers: give --allowed-signers FILE")
    signers = replace(policy.signers, revoked=revoked or policy.signers.revoked)
    return TrustPolicy(signers, "refuse", policy.source)


def choose(arguments: argparse.Namespace) -> int:
    """``choose BUNDLE``: measure every engine, save the result, print what runs from now on."""
    from edge_vc_runtime.engines.measurement import check_store

    bundle = read_bundle(arguments.bundle)
    try:
        check_store()
    except OSError as error:
        raise _cannot_keep(error) from error
    threads = resolve_threads(arguments.threads, known_board())
    names = (arguments.tier,) if arguments.tier else bundle.manifest.tier_names
    for name in names:
        tier = bundle.tier(name)
        if len(bundle.manifest.tier_names) > 1:
            print(f"tier {name}")
        _choose_tier(tier, threads, arguments)
    return 0


def _choose_tier(bundle: Bundle, threads: int, arguments: argparse.Namespace) -> None:
    """Measure one tier and save the result."""
    from edge_vc_runtime.engines.measurement import save_measurement
    from edge_vc_runtime.profiling.comparison import compare_engines

    made, refusals = compare_engines(bundle, threads, arguments.seconds)
    print("\n".join(describe_comparison(made, refusals)))
    try:
        place = save_measurement(made)
    except OSError as error:
        raise _cannot_keep(error) from error
    print(describe_selection(Session.open(bundle, threads=threads).selection))
    print(printable(f"kept in {place}, until the bundle, a library or the processor changes"))


def _cannot_keep(error: OSError) -> UsageError:
    return UsageError(f"cannot keep the result: {error}; set XDG_STATE_HOME")


def _describe_engines(bundle: Bundle) -> list[str]:
    """Return the selected engine of each tier, or why none can run it, one line per tier."""
    names = bundle.manifest.tier_names
    said = [_describe_engine(bundle.tier(name)) for name in names]
    return said if len(names) == 1 else [f"{n}: {s}" for n, s in zip(names, said, strict=True)]


def devices(arguments: argparse.Namespace) -> int:
    """``devices``: remember the requested devices, then list the available ones."""
    from edge_vc_runtime.devices.device_table import describe_devices
    from edge_vc_runtime.devices.listing import DIRECTIONS, list_devices
    from edge_vc_runtime.devices.remembered import forget_devices

    if arguments.forget:
        forget_devices()
    for direction in DIRECTIONS:
        wanted = getattr(arguments, f"remember_{direction}")
        if wanted is not None:
            _remember(wanted, direction, arguments.backend)
    listing = list_devices(arguments.backend)
    if arguments.json:
        print(json.dumps(listing.as_json(), indent=1))
    else:
        print("\n".join(describe_devices(listing)))
    return 1 if listing.empty else 0


def _remember(wanted: str, direction: Direction, backend_name: str | None) -> None:
    from edge_vc_runtime.devices import find_device, open_backend, remember_device

    backend = open_backend(backend_name or "auto")
    try:
        device = find_device(backend, wanted, direction, _say)
    finally:
        backend.close()
    place = remember_device(direction, device.key)
    _say(f"{direction}: {device.name} is remembered in {place}")


def _describe_engine(bundle: Bundle) -> str:
    try:
        board = known_board()
        threads = resolve_threads(None, board)
        return describe_selection(plan_engine(bundle, threads, board))
    except EngineError as error:
        return f"engine: none ({error})"


def _open(arguments: argparse.Namespace) -> Session:
    return Session.open(
        arguments.bundle,
        arguments.engine,
        arguments.threads,
        arguments.precision,
        arguments.tier,
    )


def _show(made: Report, arguments: argparse.Namespace) -> None:
    from edge_vc_runtime.profiling.picture import write_png
    from edge_vc_runtime.profiling.report_file import save_report
    from edge_vc_runtime.profiling.table import print_report

    if arguments.json == "-":
        sys.stdout.write(made.to_json())
    else:
        print_report(made, sys.stdout)
    if arguments.json not in (None, "-"):
        save_report(made, Path(arguments.json))
    if arguments.png:
        write_png(made, Path(arguments.png))


def _check_rate(option: str, rate: int | None) -> None:
    low, high = _RATES
    if rate is not None and not low <= rate <= high:
        raise UsageError(f"{option} is {rate} Hz, it has to be {low} to {high}")


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr)
