"""The options of a live run for devices, scheduling and recording."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

from edge_vc_runtime.audio.sinks import SINK
from edge_vc_runtime.live.device_choice import DeviceChoice
from edge_vc_runtime.live.realtime import MOST_PRIORITY, RealtimeSettings
from edge_vc_runtime.option_types import number_within, whole_within


@dataclass(frozen=True)
class LiveOptions:
    """The command line's options for the audio loop."""

    devices: DeviceChoice
    realtime: RealtimeSettings
    backend: str = "auto"
    latency_ms: float | None = None
    """Requested from the cards; None: the back end's own choice."""
    virtual_mic: str | None = None
    channel: int | None = None
    """Input channel, from 0."""
    reserve_ms: float | None = None
    seconds: float | None = None
    record: str | None = None
    record_input: str | None = None

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> LiveOptions:
        """Take the parsed options."""
        return cls(
            devices=DeviceChoice(
                arguments.input_device,
                arguments.output_device,
                arguments.input_rate,
                arguments.output_rate,
                arguments.buffer,
            ),
            realtime=RealtimeSettings(arguments.realtime, arguments.priority, arguments.cpu),
            backend=arguments.backend,
            latency_ms=arguments.latency,
            virtual_mic=arguments.virtual_mic,
            channel=None if arguments.input_channel is None else arguments.input_channel - 1,
            reserve_ms=arguments.reserve,
            seconds=arguments.seconds,
            record=arguments.record,
            record_input=arguments.record_input,
        )


def add_live_options(parser: argparse.ArgumentParser) -> None:
    """Add the options in two groups."""
    _add_device_options(parser.add_argument_group("devices (live)"))
    group = parser.add_argument_group("run time (live)")
    group.add_argument(
        "--seconds",
        type=number_within(0.1, 1e7, "s"),
        metavar="S",
        help="stop after this many seconds (default: at Ctrl-C)",
    )
    group.add_argument(
        "--record", metavar="FILE", type=SINK, help="also write the converted voice: {sinks}"
    )
    group.add_argument(
        "--record-input", metavar="FILE", type=SINK, help="also write the microphone signal"
    )
    group.add_argument(
        "--reserve", type=number_within(0, 500, "ms"), metavar="MS",
        help="audio waiting in the output buffer in ms, 0 to 500: less means less delay, "
        "too little causes gaps (default: derived from the cards' timing and the step time)",
    )  # fmt: skip
    group.add_argument(
        "--realtime", action=argparse.BooleanOptionalAction, default=True,
        help="request a real-time priority (SCHED_FIFO) for the inference thread only; if that is "
        "not allowed, one line says how to allow it (default: on)",
    )  # fmt: skip
    group.add_argument(
        "--priority", type=whole_within(1, MOST_PRIORITY), default=40, metavar="N",
        help=f"that priority, 1 to {MOST_PRIORITY}; the kernel's interrupts have 50 (default: 40)",
    )  # fmt: skip
    group.add_argument(
        "--cpu", type=whole_within(0, (os.cpu_count() or 1) - 1), metavar="N",
        help="processor for the inference thread, from 0 (default: any)",
    )  # fmt: skip


def _add_device_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--input", dest="input_device", metavar="DEVICE",
        help="microphone: its name or a part of it, as `edge-vc-rt devices` lists it (default: the "
        "remembered one, else the system's)",
    )  # fmt: skip
    group.add_argument(
        "--output", dest="output_device", metavar="DEVICE", help="loudspeaker, in the same way"
    )
    group.add_argument(
        "--input-channel", type=whole_within(1, 64), metavar="N",
        help="channel of the microphone, from 1 (default: the mean of all)",
    )  # fmt: skip
    group.add_argument(
        "--buffer", type=number_within(1, 100, "ms"), metavar="MS",
        help="length of a callback of the loudspeaker in ms, 1 to 100; the card's buffer is about "
        "twice that: longer if it runs empty, shorter for less delay (default: 2.5 for a card, "
        "5 through a sound server)",
    )  # fmt: skip
    group.add_argument(
        "--virtual-mic", metavar="NAME",
        help="offer the converted voice to other programs as a microphone of this name "
        "(PulseAudio, PipeWire), instead of playing it",
    )  # fmt: skip
    group.add_argument(
        "--backend", default="auto", metavar="NAME",
        help="library for access to the cards: {backends} (default: the first one installed)",
    )  # fmt: skip
    group.add_argument(
        "--latency", type=number_within(1, 500, "ms"), metavar="MS",
        help="latency in ms to request from the cards, 1 to 500, if the back end can: sounddevice "
        "(default: the cards' low latency)",
    )  # fmt: skip
