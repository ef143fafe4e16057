"""What C libraries write to the terminal by themselves, kept off it.

Looking for devices makes libasound write dozens of lines about cards that are configured and not
there, libjack about a server that does not run, and PortAudio about a device that vanishes. None of
them matters to a user; what does matter arrives as an error code. Lines that no rule here knows are
passed on, so that no other message is lost.
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
"""Bytes of messages that are held back at most; what comes after them is lost."""
_TURN = threading.RLock()
"""Two threads that redirect the descriptor in turns that overlap would leave it redirected."""


def is_noise(line: bytes) -> bool:
    """Return whether a line on stderr comes from a sound library and says nothing of use."""
    return not line.strip() or _NOISE.match(line) is not None


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Hold back what C libraries write to file descriptor 2 while the block runs.

    The list holds the noise afterwards, as detail of an error; everything else is written to the
    terminal then, late and complete. Keep the block short: other threads' lines wait as well.
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
                del lines[-1]  # cut off, so nobody can say what it is
            for line in lines:
                if is_noise(line):
                    noise.append(line.decode(errors="replace").strip())
                else:
                    _write_all(2, line)


def _bounded_memory() -> int:
    """Return a file in memory that takes so much and refuses more.

    Messages that went on for minutes once filled a machine's memory after its sound server ended.
    """
    descriptor = os.memfd_create("stderr", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    with suppress(OSError):  # a lower limit on the size of files does for the seal
        os.truncate(descriptor, _MOST_HELD)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


@contextmanager
def filtered_stderr() -> Iterator[None]:
    """Keep C libraries off the terminal for as long as the block runs, streams included.

    ``sys.stderr`` writes to the terminal itself meanwhile. What else reaches file descriptor 2 goes
    through a thread that drops noise and passes the rest on, line by line.
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
        os.dup2(terminal, 2)  # the pipe's last end here: the thread sees the end of it
        forwarder.join(timeout=1)  # a child that still has it open is not waited for
        if not forwarder.is_alive():
            os.close(terminal)


def _descriptor(stream: TextIO) -> int | None:
    """Return a stream's descriptor, None where something in memory stands in for it."""
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None


class _AlsaMessages:
    """libasound's error handler: installed once, referenced for as long as the process lives."""

    def __init__(self) -> None:
        self._silent = _HANDLER(_ignore)
        self._set = None
        try:
            self._set = ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler
        except (OSError, AttributeError):  # no ALSA, or one that logs in another way
            return
        self._set.restype = ctypes.c_int
        self._set.argtypes = [ctypes.c_void_p]
        atexit.register(self.print)  # the handler is gone before the library is

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
    """Have messages written while they are captured, and dropped from then on."""
    if not _alsa:
        _alsa.append(_AlsaMessages())
    _alsa[0].print()
    try:
        yield
    finally:
        _alsa[0].silence()


def _ignore(file: bytes, line: int, function: bytes, code: int, text: bytes) -> None:
    """Take a message; the C function has more arguments, which its caller cleans up."""


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
