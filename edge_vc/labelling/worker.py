"""The inside of a labelling process. Imports little: threads are set before numpy is loaded."""

from __future__ import annotations

import os
import signal
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_vc.teachers.spec import TeacherSpec

OPENED = "the teacher is open"
"""First message of a worker; any other text is why it is not."""
LAST_SECONDS = 2.0


def serve(pipe: Connection, spec: TeacherSpec, threads: int) -> None:
    """Open the teacher, then answer tasks until the pipe closes."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    # Ctrl-C reaches the whole group; the process that asked for us ends us in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    try:
        _work(pipe, spec)
    finally:
        # From here on there is nothing to unwind, and an exception would only make noise.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _work(pipe: Connection, spec: TeacherSpec) -> None:
    from edge_vc.labelling.task import perform
    from edge_vc.teachers.loading import open_teacher
    from edge_vc.teachers.spec import TeacherError

    try:
        teacher = open_teacher(spec)
    except TeacherError as error:
        pipe.send(str(error))
        return
    pipe.send(OPENED)
    while True:
        try:
            task = pipe.recv()
            pipe.send(perform(teacher, task))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _leave(number: int, frame: object) -> None:
    """Unwind, so that a command that a teacher runs is ended with us."""
    sys.exit(128 + number)


def _end_with_parent() -> None:
    """Go when the parent goes, even in the middle of a conversion that never ends."""
    parent = parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(LAST_SECONDS)
    os._exit(1)
