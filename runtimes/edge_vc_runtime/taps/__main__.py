"""The process of a tap: audio on stdin, lines for the terminal on stdout."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from io import FileIO
from typing import BinaryIO

from edge_vc_runtime.taps.error import TapError
from edge_vc_runtime.taps.kind import TapOutput, TapSettings
from edge_vc_runtime.taps.kinds import KINDS
from edge_vc_runtime.taps.pipe import read_records

_NICE = 10  # the conversion has priority


def main(told: str, stream: BinaryIO) -> int:
    """Run the tap described by ``told``, JSON, until ``stream`` ends."""
    facts = json.loads(told)
    settings = TapSettings(facts["rate"], facts["recogniser"])
    with _file(facts["file"]) as file:
        output = TapOutput(_silent, _say)
        if file is not None:
            output = TapOutput(lambda text: file.write(text.encode()), _silent)
        job = KINDS[facts["kind"]].open(settings, output)
        for position, audio in read_records(stream):
            job.take(position, audio)
        job.finish()
    return 0


def _file(place: str | None) -> contextlib.AbstractContextManager[FileIO | None]:
    """Open unbuffered, so that written text is in the file however this process ends."""
    return contextlib.nullcontext() if place is None else FileIO(place, "wb")


def _say(line: str) -> None:
    """Write a line, unless the reader has gone."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _silent(text: str) -> None:
    """Ignore the text."""


if __name__ == "__main__":
    # The run ends a tap by its pipe; a signal to the terminal's process group must not.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)
    try:
        code = main(sys.argv[1], sys.stdin.buffer)
    except TapError as error:
        _say(f"tap: error: {error}")
        code = 2
    except OSError as error:  # errors of writes do not name the file
        place = json.loads(sys.argv[1])["file"] or "its output"
        _say(f"tap: error: {place}: {error.strerror or error}")
        code = 2
    os._exit(code)  # everything is already written; a closed stdout must not be flushed again
