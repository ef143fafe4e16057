"""Keeps the messages of C libraries off the terminal.

While searching for devices, libasound writes dozens of lines about configured but missing cards,
libjack about a server that is not running, and PortAudio about a vanished device. None of them
matters to a user; anything important is reported as an error code. Lines that match no rule here
are passed on, so that no other message is lost.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

_NOISE = re.compile(
    rb"ALSA lib |Expression '|PaAlsa|jack server |Cannot connect to server |JackShm|JACK|"
    rb"attempt to connect to server failed|Cannot (?:lock down|allocate) .*memory|"
    rb"Cannot use real-time scheduling|connect\(2\) call to /dev/shm/jack|"
    rb"bt_audio_service_open: |Assertion .* failed at .*pulse/.*Aborting?$"
)
_HANDLER = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)

_MOST_HELD = 1 << 20
"""Maximum bytes of messages held back; anything after them is lost."""
_TURN = threading.RLock()
"""Held while the descriptor is redirected: overlapping redirections would leave it redirected."""


def is_noise(line: bytes) -> bool:
    """Return whether a line on stderr comes from a sound library and is of no use."""
    return not line.strip() or _NOISE.match(line) is not None


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Hold back the output of C libraries to file descriptor 2 while the block runs.

    Afterwards the list contains the noise, as details for an error; everything else is then written
    to the terminal, late but complete. Keep the block short: other threads' lines wait as well.
    """
    noise: list[str] = []
    with _TURN:
        sys.stderr.flush()
        try:
            terminal = os.dup(2)
        except OSError:  # closed: nothing can reach the terminal
            yield noise
            return
        with _held(terminal, noise):
            yield noise


@contextmanager
def _held(terminal: int, noise: list[str]) -> Iterator[None]:
    with open(_bounded_memory(), "w+b", buffering=0) as held:
        os.dup2(held.fileno(), 2)
        try:
            with _default_alsa_messages():
                yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            written = held.tell()
            held.seek(0)
            lines = held.read(written).splitlines(keepends=True)
            if written == _MOST_HELD:
                del lines[-1]  # truncated, so it cannot be classified
            for line in lines:
                if is_noise(line):
                    noise.append(line.decode(errors="replace").strip())
                else:
                    _write_all(2, line)


def _bounded_memory() -> int:
    """Return a file in memory with a maximum size.

    After a sound server ended, messages that continued for minutes once filled a machine's memory.
    """
    descriptor = os.memfd_create("stderr", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    with suppress(OSError):  # a lower file size limit also serves as a seal
        os.truncate(descriptor, _MOST_HELD)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


@contextmanager
def filtered_stderr() -> Iterator[None]:
    """Keep C libraries off the terminal while the block runs, including during streaming.

    In the meantime ``sys.stderr`` writes to the terminal itself. Other output to file descriptor 2
    goes through a thread that drops noise and passes the rest on, line by line.
    """
    sys.stderr.flush()
    try:
        terminal = os.dup(2)
    except OSError:
        yield
        return
    source, sink = os.pipe()
    os.dup2(sink, 2)
    os.close(sink)
    before = sys.stderr
    if _descriptor(before) == 2:
        sys.stderr = io.TextIOWrapper(
            io.FileIO(os.dup(terminal), "w"), encoding="utf-8", errors="backslashreplace",
            line_buffering=True, write_through=True,
        )  # fmt: skip
    forwarder = threading.Thread(target=_forward, args=(source, terminal), daemon=True)
    forwarder.start()
    try:
        yield
    finally:
        if sys.stderr is not before:
            sys.stderr.close()
        sys.stderr = before
        os.dup2(terminal, 2)  # closes the pipe's last end here, so the thread reads its end
        forwarder.join(timeout=1)  # do not wait for a child that still has it open
        if not forwarder.is_alive():
            os.close(terminal)


def _descriptor(stream: TextIO) -> int | None:
    """Return a stream's descriptor, None if it was replaced by an in-memory object."""
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None


class _AlsaMessages:
    """libasound's error handler: installed once, referenced for the lifetime of the process."""

    def __init__(self) -> None:
        self._silent = _HANDLER(_ignore)
        self._set = None
        try:
            self._set = ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler
        except (OSError, AttributeError):  # no ALSA, or one that logs in another way
            return
        self._set.restype = ctypes.c_int
        self._set.argtypes = [ctypes.c_void_p]
        atexit.register(self.print)  # the handler is destroyed before the library

    def silence(self) -> None:
        """Drop the messages of threads that stream."""
        if self._set is not None:
            self._set(ctypes.cast(self._silent, ctypes.c_void_p))

    def print(self) -> None:
        """Let libasound write to stderr again, where `captured_stderr` reads it."""
        if self._set is not None:
            self._set(None)


_alsa: list[_AlsaMessages] = []


@contextmanager
def _default_alsa_messages() -> Iterator[None]:
    """Let messages be written while they are captured; drop them afterwards."""
    if not _alsa:
        _alsa.append(_AlsaMessages())
    _alsa[0].print()
    try:
        yield
    finally:
        _alsa[0].silence()


def _ignore(file: bytes, line: int, function: bytes, code: int, text: bytes) -> None:
    """Ignore a message; the C function has more arguments, which its caller cleans up."""


def _forward(source: int, terminal: int) -> None:
    with open(source, "rb", buffering=0) as pipe:
        rest = b""
        while piece := pipe.read(4096):
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > 65536:
                lines, rest = [*lines, rest], b""
            for line in lines:
                if not is_noise(line):
                    _write_all(terminal, line + b"\n")
        if rest and not is_noise(rest):
            _write_all(terminal, rest)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except OSError:  # nobody reads it
            return
