"""All taps of a run."""

from __future__ import annotations

import time
from collections.abc import Callable

from edge_vc_runtime.live.snapshot import LiveSnapshot
from edge_vc_runtime.taps.kind import TapSettings
from edge_vc_runtime.taps.kinds import KINDS
from edge_vc_runtime.taps.options import TapOptions
from edge_vc_runtime.taps.pipe import PipeTap
from edge_vc_runtime.taps.process import END_S, TapProcess


class TapListeners:
    """Starts the tap processes; the loop feeds `input_taps` and `output_taps`."""

    def __init__(self, options: TapOptions, sample_rate: int, say: Callable[[str], object]) -> None:
        """Start all taps or none; raises `TapError` if something is missing.

        ``sample_rate`` in Hz is the model's; ``say`` prints a line on the terminal.
        """
        settings = TapSettings(sample_rate, options.recogniser)
        for choice in options.taps:
            KINDS[choice.kind].check(settings)
        self._processes: list[TapProcess] = []
        try:
            for choice in options.taps:
                self._processes.append(TapProcess(choice, settings, say))
        except BaseException:
            self.close()
            raise
        taps = tuple(process.tap for process in self._processes)
        self.input_taps: tuple[PipeTap, ...] = taps if options.stream == "input" else ()
        self.output_taps: tuple[PipeTap, ...] = taps if options.stream == "output" else ()

    def poll(self, seen: LiveSnapshot | None = None) -> None:
        """Print the processes' lines; called by the monitor thread."""
        for process in self._processes:
            process.poll()

    def close(self) -> None:
        """Let the taps complete their files, in parallel; may be called repeatedly."""
        for process in self._processes:
            process.end()
        deadline = time.monotonic() + END_S
        for process in self._processes:
            process.close(deadline)
        self._processes.clear()
