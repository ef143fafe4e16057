"""``run`` without IN and OUT: combines devices, loop, converter and display."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from edge_vc_runtime.audio.sinks import sink_kind
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.input_options import InputOptions
from edge_vc_runtime.chain.options import ChainOptions
from edge_vc_runtime.chain.snapshot import with_chain, with_chain_delay
from edge_vc_runtime.control.live_control import start_control
from edge_vc_runtime.control.options import ControlOptions
from edge_vc_runtime.control.status import LatestStatus
from edge_vc_runtime.devices.backend import Backend, Preparable
from edge_vc_runtime.devices.backends import open_backend
from edge_vc_runtime.devices.library_noise import filtered_stderr
from edge_vc_runtime.devices.virtual_microphone import VirtualMicrophone
from edge_vc_runtime.errors import UsageError
from edge_vc_runtime.feeds.fed_converter import fed
from edge_vc_runtime.governor.governor_options import GovernorOptions
from edge_vc_runtime.governor.steering import LoopActuators, Steering
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.live.device_choice import DeviceChoice
from edge_vc_runtime.live.loop import LiveLoop, LoopSettings
from edge_vc_runtime.live.monitor_thread import MonitorThread, Observer
from edge_vc_runtime.live.options import LiveOptions
from edge_vc_runtime.live.realtime import calm_interpreter
from edge_vc_runtime.live.recorder import Recorder
from edge_vc_runtime.monitor.display import LiveDisplay
from edge_vc_runtime.monitor.display_options import DisplayOptions
from edge_vc_runtime.taps.listeners import TapListeners
from edge_vc_runtime.taps.options import TapOptions
from edge_vc_runtime.tiers.open_tiers import open_tiers
from edge_vc_runtime.tiers.tiers import TieredConverter
from edge_vc_runtime.tiers.warm_up import warm_up

_RECORDING_FAILED = 1
_INTERRUPTED = 130


def run_live(arguments: argparse.Namespace) -> int:
    """``run BUNDLE``: convert a live voice until Ctrl-C, ``--seconds`` or SIGTERM."""
    options = LiveOptions.from_arguments(arguments)
    if options.virtual_mic and options.devices.output:
        raise UsageError("--virtual-mic takes the place of --output; give one of them")
    taps = TapOptions.from_arguments(arguments)
    with ExitStack() as stack:
        stack.enter_context(filtered_stderr())  # before anything keeps a reference to sys.stderr
        backend = open_backend(options.backend, options.latency_ms)
        stack.callback(backend.close)
        # A virtual microphone's sink is created later, and has to be among the devices.
        prepared = _prepare(None if options.virtual_mic else backend, stack)
        display = LiveDisplay(DisplayOptions.from_arguments(arguments))
        stack.callback(display.stop)
        governor = GovernorOptions.from_arguments(arguments)
        converter = open_tiers(
            arguments.bundle,
            arguments.engine,
            arguments.threads,
            arguments.precision,
            arguments.tier,
            alone=not governor.enabled,
        )
        inputs = InputOptions.from_arguments(arguments)
        inputs.apply(converter)
        stream = fed(converter, inputs.stream, display.console.print) if inputs.stream else None
        if stream is not None:
            stack.callback(stream.stream.close)
        chain = ChainOptions.from_arguments(arguments).build(
            stream or converter, live=True, say=display.console.print
        )
        listeners = TapListeners(taps, converter.sample_rate, display.console.print)
        stack.callback(listeners.close)
        machine = _Machine(converter, chain, governor)
        prepared()
        run = _assemble(machine, backend, options, display, listeners, arguments.quiet, stack)
        start_control(
            ControlOptions.from_arguments(arguments),
            chain.parameters,
            run.status,
            display.console.print,
            run.monitor.ended.set,
            stack,
        )
        if stream is not None:
            stream.stream.begin()
        try:
            interrupted = run.until_end(options.seconds)
        finally:  # even after SIGTERM: a run of hours still needs its summary
            listeners.close()
            display.close(converter.session, run.loop.times)
    if any(recorder.failed for recorder in run.recorders):
        return _RECORDING_FAILED
    return _INTERRUPTED if interrupted else 0


@dataclass(frozen=True)
class _Run:
    """All running parts."""

    loop: LiveLoop
    monitor: MonitorThread
    recorders: tuple[Recorder, ...]
    status: LatestStatus

    def until_end(self, seconds: float | None) -> bool:
        """Wait for the end and stop everything; return whether it ended by Ctrl-C."""
        interrupted = False
        self.monitor.start()
        try:
            self.monitor.ended.wait(seconds)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self.monitor.stop()
            self.loop.stop()
            for recorder in self.recorders:
                recorder.close()
        if self.monitor.failure is not None:
            raise self.monitor.failure
        return interrupted


@dataclass(frozen=True)
class _Machine:
    """The converter and its controls."""

    converter: TieredConverter
    chain: Chain
    governor: GovernorOptions


def _assemble(
    machine: _Machine,
    backend: Backend,
    options: LiveOptions,
    display: LiveDisplay,
    listeners: TapListeners,
    quiet: bool,
    stack: ExitStack,
) -> _Run:
    """Open everything and start the loop; ``stack`` closes it."""
    converter, chain = machine.converter, machine.chain
    for session in converter.sessions:
        warm_up(session)
    step_s = warm_up(chain)
    console = display.console
    complain = _write_error if quiet else console.print
    choice = _choice(options, stack)
    converted = _recorder(options.record, converter, complain, stack)
    microphone = _recorder(options.record_input, converter, complain, stack)
    loop = LiveLoop(
        backend,
        chain,
        LoopSettings(
            choice,
            options.channel,
            options.reserve_ms,
            step_s=step_s,
            correct_drift=True,
            realtime=options.realtime,
        ),
        input_taps=(*microphone, *listeners.input_taps),
        output_taps=(*converted, *listeners.output_taps),
        log=console,
    )
    stack.enter_context(calm_interpreter())
    stack.callback(loop.stop)
    loop.start()
    if loop.notice:
        console.print(loop.notice)
    pair = loop.pair
    if pair is not None:
        parts = with_chain_delay(replace(loop.delay_parts(), compute_ms=step_s * 1000), chain)
        display.before(parts, pair.input_device.name, pair.output_device.name)
    actuators = LoopActuators(loop, converter, chain.set_bypass)
    steering = Steering(actuators, machine.governor, console)
    status = LatestStatus()
    observers: list[Observer] = [
        steering.observe,
        lambda seen: display.observe(seen, loop.times),
        listeners.poll,
        status.observe,
    ]
    monitor = MonitorThread(
        loop, observers, lambda seen: steering.complete(with_chain(seen, chain))
    )
    return _Run(loop, monitor, (*converted, *microphone), status)


def _prepare(backend: Backend | None, stack: ExitStack) -> Callable[[], None]:
    """Start the back end's library while the bundle is opened; return a function to wait for it."""
    if not isinstance(backend, Preparable):
        return lambda: None
    thread = threading.Thread(target=backend.prepare, name="devices", daemon=True)
    thread.start()
    stack.callback(thread.join)
    return thread.join


def _write_error(line: str) -> None:
    """Print an error if nothing else is displayed."""
    sys.stderr.write(f"{line}\n")


def _choice(options: LiveOptions, stack: ExitStack) -> DeviceChoice:
    if options.virtual_mic is None:
        return options.devices
    microphone = stack.enter_context(VirtualMicrophone(options.virtual_mic))
    return replace(options.devices, output=microphone.output)


def _recorder(
    place: str | None, converter: HopConverter, complain: Callable[[str], None], stack: ExitStack
) -> tuple[Recorder, ...]:
    if place is None:
        return ()
    sink = sink_kind(place).open(place, converter.sample_rate)
    recorder = Recorder(sink, converter.sample_rate, complain)
    stack.callback(recorder.close)
    return (recorder,)
