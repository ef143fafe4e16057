"""Keys and control socket of one live run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.control.control_socket import ControlSocket
from edge_vc_runtime.control.error import ControlError
from edge_vc_runtime.control.key_control import KeyControl
from edge_vc_runtime.control.options import ControlOptions
from edge_vc_runtime.control.requests import ControlRequests
from edge_vc_runtime.control.status import LatestStatus


def start_control(
    options: ControlOptions,
    parameters: Parameters,
    status: LatestStatus,
    say: Callable[[str], object],
    quit: Callable[[], object],
    stack: ExitStack,
) -> None:
    """Start the requested controls; ``stack`` ends them and restores the terminal.

    If another run uses the socket's default path, one line says so, and this run has no socket.
    Raises `ControlError` if an explicitly requested path cannot be used.
    """
    if options.socket is not None:
        try:
            server = ControlSocket(options.socket, ControlRequests(parameters, status))
            stack.callback(server.close)
        except ControlError as error:
            if options.asked:
                raise
            say(f"no control socket: {error}")
    if options.keys:
        keys = stack.enter_context(KeyControl(parameters, say, quit))
        if keys.available:
            say("keys change the voice: ? for help")
