"""Code run inside a worker process. Imports little: threads are set before numpy is loaded."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import sys
import threading
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from edge_vc.workers.pool import Finished, Message, Raised, Ready, Reported, WorkerError

LAST_SECONDS = 2.0
"""Time from a worker noticing that its parent has died to its forced end."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def serve(pipe: Connection, opener: bytes, threads: int) -> None:
    """Unpickle and call the opener, then process items until the pipe closes."""
    for variable in _THREADS:
        os.environ[variable] = str(threads)
    reset_signals()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _work(pipe, opener, threads)
    except (EOFError, OSError):
        return  # the parent has closed the connection
    finally:
        # From here on there is nothing to unwind, and an exception would only print a traceback.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def reset_signals() -> None:
    """Set the signal handlers of a worker, whatever its parent blocked or ignored (``nohup``).

    SIGTERM unwinds, so that commands and partial files are cleaned up. SIGINT is left to the
    parent: Ctrl-C reaches the whole process group, and the parent then ends its workers in order.
    It is handled instead of ignored, since programs run by a worker would inherit the latter.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGCHLD, signal.SIGQUIT, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, _leave_it_to_the_parent)
    signal.signal(signal.SIGTERM, _unwind)


def _work(pipe: Connection, opener: bytes, threads: int) -> None:
    def report(value: Any) -> None:
        pipe.send(Reported(value))

    try:
        opens = pickle.loads(opener)  # noqa: S301 - from the process that started us
        _limit_torch(threads)
        work = opens(report)
        _limit_torch(threads)
    except Exception as error:
        pipe.send(Raised(_sendable(error)))
        return
    pipe.send(Ready())
    while True:
        item = pipe.recv()
        try:
            message: Message[Any] = Finished(work(item))
        except Exception as error:
            message = Raised(_sendable(error))
        pipe.send(message)


def _limit_torch(threads: int) -> None:
    # torch may have been loaded earlier, with the main module, or may set its threads itself.
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


def _sendable(error: Exception) -> Exception:
    """Return an exception that survives the pipe, with its traceback as a note."""
    error.add_note(f"in a worker process:\n{traceback.format_exc()}")
    try:
        pickle.dumps(error)
        copy.deepcopy(error)  # reconstructs it like unpickling does
    except Exception:
        # Exceptions of third-party code may hold anything.
        return WorkerError(f"{type(error).__name__}: {error}")
    return error


def _unwind(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _leave_it_to_the_parent(number: int, frame: object) -> None:
    return


def _end_with_parent() -> None:
    """End when the parent does, even within an item that never finishes."""
    parent = parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(LAST_SECONDS)
    os._exit(1)
