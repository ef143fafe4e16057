"""A tap's process, as seen from the run that feeds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

from edge_vc_runtime.message import printable
from edge_vc_runtime.taps.kind import TapSettings
from edge_vc_runtime.taps.options import TapChoice
from edge_vc_runtime.taps.pipe import PipeTap

END_S = 0.3
"""Time that the end of a run waits for a tap; a slower one finishes on its own."""
_POLL_S = 0.02
_LINE_BYTES = 4000  # longer lines of a child are cut


class TapProcess:
    """Starts the process; `tap` feeds it, `poll` prints its lines, `close` ends it cleanly.

    The process is in its own session, so Ctrl-C only reaches the run, and the tap detects the end
    by its pipe: it completes its file even if the run was killed.
    """

    def __init__(
        self, choice: TapChoice, settings: TapSettings, say: Callable[[str], object]
    ) -> None:
        self.name = choice.kind
        self._say = say
        self._rest = b""
        self._ended = False
        self._told = 0
        reader, writer = os.pipe()
        try:
            self._process = self._start(choice, settings, reader)
        except BaseException:
            os.close(writer)
            raise
        finally:
            os.close(reader)
        self.tap = PipeTap(writer)

    @staticmethod
    def _start(choice: TapChoice, settings: TapSettings, reader: int) -> subprocess.Popen[bytes]:
        told = {"kind": choice.kind, "file": choice.file, "rate": settings.sample_rate,
                "recogniser": settings.recogniser}  # fmt: skip
        # One thread: BLAS would take the cores that the conversion needs.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "edge_vc_runtime.taps", json.dumps(told)],
            stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, env=environment,
        )  # fmt: skip
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
        return process

    def poll(self) -> None:
        """Print received lines, dropped audio, and an unexpected end; never waits."""
        self._show_lines()
        dropped = self.tap.dropped
        if dropped and not self._told:
            self._say(f"tap {self.name}: too slow, audio is dropped before it; the run goes on")
        self._told = dropped
        if not self._ended and self._process.poll() is not None:
            self._ended = True
            self._show_lines()
            self._say(
                f"tap {self.name}: ended ({_reason(self._process.returncode)}); the run goes on"
            )

    def end(self) -> None:
        """Signal the end of the audio."""
        self.tap.close()

    def close(self, deadline: float | None = None) -> None:
        """Wait for it to finish until ``deadline``; after that it finishes on its own.

        ``deadline`` is a `time.monotonic` value, by default 0.3 s from now.
        """
        self.end()
        deadline = deadline or time.monotonic() + END_S
        while self._process.poll() is None and time.monotonic() < deadline:
            self._show_lines()
            time.sleep(_POLL_S)
        self._show_lines()
        if self._process.poll() is None:
            self._say(f"tap {self.name}: completes its output in the background")
            # Nobody waits for it any more; without this, Popen warns that it is still running.
            self._process.returncode = 0
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _show_lines(self) -> None:
        stream = self._process.stdout
        if stream is None or stream.closed:
            return
        data = stream.read() or b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_LINE_BYTES:]
        for line in lines:
            self._say(printable(line[:_LINE_BYTES].decode(errors="replace").rstrip()))


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
