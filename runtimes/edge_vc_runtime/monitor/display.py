"""All display and measurement of a live run, behind four calls."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from edge_vc_runtime.files.error import OutputError
from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.live.snapshot import DelayParts, LiveSnapshot
from edge_vc_runtime.message import one_line
from edge_vc_runtime.monitor.budget import MEASURED_BEFORE, describe_budget
from edge_vc_runtime.monitor.console import LiveConsole
from edge_vc_runtime.monitor.display_options import DisplayOptions
from edge_vc_runtime.monitor.error import MonitorError
from edge_vc_runtime.monitor.live_report import live_report
from edge_vc_runtime.monitor.recorder import RunRecorder
from edge_vc_runtime.profiling.live_rows import live_rows
from edge_vc_runtime.profiling.live_run import LiveRun
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.profiling.report_file import save_report
from edge_vc_runtime.sensors import read_sensors
from edge_vc_runtime.session import Session

_COLUMNS = 80  # of the summary, regardless of the terminal: it is copied into messages

if TYPE_CHECKING:
    from edge_vc_runtime.monitor.metrics_server import MetricsServer


class LiveDisplay:
    """Budget before the run, refreshing line and metrics during it, summary at its end.

    The monitor thread calls `observe`; audio threads call nothing here.
    """

    def __init__(self, options: DisplayOptions, stream: TextIO | None = None) -> None:
        """Bind the metrics' port; raises `MonitorError`, one line."""
        self.console = LiveConsole(stream, options.quiet)
        """Prints other lines without breaking the refreshing line; also an `EventLog`."""
        self._options = options
        self._recorder = RunRecorder()
        self._sensors = read_sensors()
        self._server: MetricsServer | None = None
        if options.metrics is not None:
            from edge_vc_runtime.monitor.metrics_server import MetricsServer  # loads an HTTP server

            self._server = MetricsServer(options.metrics)

    def before(
        self,
        parts: DelayParts,
        input_device: str,
        output_device: str,
        compute_source: str = MEASURED_BEFORE,
    ) -> None:
        """Print the latency budget, and the address of the metrics."""
        for line in describe_budget(parts, input_device, output_device, compute_source):
            self.console.print(line)
        if self._server:
            self.console.print(f"metrics: {self._server.address}")

    def observe(self, now: LiveSnapshot, times: HopTimes | None = None) -> None:
        """Display and record one snapshot; ``times`` are those of all steps since the start."""
        self._recorder.record(now)
        self.console.show(now)
        if self._server:
            self._server.update(now, times)

    def close(self, session: Session, times: HopTimes | None = None) -> None:
        """Print the summary and write the report.

        Raises `MonitorError` if the report cannot be written.
        """
        self.stop()
        run = self._recorder.finish(times)
        if run is None:
            return
        for line in describe_run(run):
            self.console.print(line)
        if self._options.report:
            self._write(live_report(session, run, self._sensors), self._options.report)

    def stop(self) -> None:
        """Clear the line and release the port, without a summary; may be called repeatedly."""
        self.console.close()
        if self._server:
            self._server.close()
            self._server = None

    def _write(self, report: Report, place: str) -> None:
        if place == "-":
            sys.stdout.write(report.to_json())
            sys.stdout.flush()
            return
        try:
            save_report(report, Path(place))
        except OutputError as error:
            raise MonitorError(f"--report {error}") from error
        self.console.print(f"report: {place}")


def describe_run(run: LiveRun) -> list[str]:
    """Return the summary as lines of text."""
    rows = live_rows(run)
    width = max(len(name) for name, _ in rows)
    lines = ["live run:"]
    for name, value in rows:
        first, *rest = textwrap.wrap(one_line(value), _COLUMNS - width - 4) or [""]
        lines.append(f"  {name:<{width}}  {first}")
        lines += [f"  {'':<{width}}  {more}" for more in rest]
    return lines
