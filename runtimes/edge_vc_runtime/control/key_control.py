"""Single key presses in the terminal change parameters during a conversion."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable
from typing import Any

from edge_vc_runtime.chain.model_inputs import next_voice
from edge_vc_runtime.chain.parameters import Parameters

_LOOK_S = 0.2
_SEQUENCE = re.compile(rb"\x1b(\[[0-9;?]*[ -/]*[@-~]|O.|.?)", re.DOTALL)
"""Sequences sent by arrows, function keys and Alt, which are ignored."""
KEYS: dict[str, tuple[str, int]] = {
    "b": ("bypass", 1),
    "g": ("gate", 1),
    "n": ("noise_reduction", 1),
    "f": ("level_follow", 1),
    "+": ("gain", 1),
    "-": ("gain", -1),
    "]": ("pitch", 1),
    "[": ("pitch", -1),
    "m": ("mix", 1),
    "M": ("mix", -1),
    "t": ("backing_gain", 1),
    "T": ("backing_gain", -1),
    "}": ("model_pitch", 1),
    "{": ("model_pitch", -1),
}
"""The parameter changed by a key, and the number of steps."""
HELP = (
    "keys: b bypass, g gate, n noise reduction, f level follow, + - gain, ] [ pitch, "
    "m M mix, t T backing track, v next voice, } { pitch of the model, ? help, q quit"
)


class KeyControl:
    """Reads keys in its own thread, without waiting for Enter.

    Ctrl-C and Ctrl-Z work as usual. The terminal is restored by `close`, which a context manager's
    exit always calls; it is not touched if standard input is not a terminal, or the run is in the
    background.
    """

    def __init__(
        self,
        parameters: Parameters,
        say: Callable[[str], object],
        quit: Callable[[], object],
        descriptor: int | None = None,
    ) -> None:
        """``say`` prints a line, ``quit`` ends the run; ``descriptor`` is stdin's by default."""
        self._parameters = parameters
        self._say = say
        self._quit = quit
        self._descriptor = _stdin() if descriptor is None else descriptor
        self._before: list[Any] | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keys", daemon=True)

    def __enter__(self) -> KeyControl:
        """Start, if there is a terminal."""
        if self.available:
            self._before = termios.tcgetattr(self._descriptor)
            # Keys are read at once and not echoed; signals and output processing are unchanged.
            tty.setcbreak(self._descriptor, termios.TCSANOW)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the terminal."""
        self.close()

    @property
    def available(self) -> bool:
        """Whether keys can be read: stdin is a terminal and this run is in the foreground."""
        try:
            group = os.tcgetpgrp(self._descriptor)
        except OSError:
            return False
        return os.isatty(self._descriptor) and group == os.getpgrp()

    def close(self) -> None:
        """Stop and restore the terminal; may be called repeatedly."""
        self._closed.set()
        if self._before is not None:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)
            self._before = None
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(2 * _LOOK_S)

    def press(self, key: str) -> None:
        """Perform a key's action; unknown keys are ignored."""
        if key == "q":
            self._quit()
        elif key in "?h":
            self._say(HELP)
        elif key == "v":
            voice = next_voice(self._parameters)
            self._say(f"voice {voice}" if voice else "this bundle has one voice")
        elif key in KEYS and KEYS[key][0] not in self._parameters.declared:
            self._say(f"this bundle has no input {KEYS[key][0].removeprefix('model_')}")
        elif key in KEYS:
            name, steps = KEYS[key]
            self._say(describe(self._parameters, name, self._parameters.change(name, steps)))

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                ready, _, _ = select.select([self._descriptor], [], [], _LOOK_S)
                data = os.read(self._descriptor, 64) if ready else None
            except OSError:
                return
            if data == b"":
                return
            for key in _SEQUENCE.sub(b"", data or b"").decode("ascii", "ignore"):
                self.press(key)


def describe(parameters: Parameters, name: str, value: float) -> str:
    """Return a parameter and its value as a line of text: ``pitch 2 semitones``."""
    parameter = parameters.find(name)
    label = parameter.name.replace("_", " ")
    if parameter.switch:
        return f"{label} {'on' if value else 'off'}"
    return f"{label} {value:g} {parameter.unit}"


def _stdin() -> int:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # closed, or replaced by a test
        return -1
