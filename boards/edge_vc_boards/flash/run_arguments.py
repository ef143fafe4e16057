"""Arguments of the service's ``run``, checked before anything goes to a board."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from edge_vc_boards.flash.error import FlashError
from edge_vc_runtime.arguments import verb_parser


def check_run_arguments(words: Sequence[str], where: str = "arguments after --") -> None:
    """Refuse what ``edge-vc-rt run`` would not take; raises `FlashError`.

    The board gets the runtime of this machine, so that both have the same options.
    """
    if not words:
        return
    said = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said):
            given = verb_parser("run", "edge-vc").parse_args(["bundle.evc", *words])
    except SystemExit as error:
        what = said.getvalue().strip().partition("error: ")[2]
        raise FlashError(f"{where}: {what or 'a service needs no help'}") from error
    if given.input is not None and given.output is None:
        raise FlashError(
            f"{where}: {given.input!r:.100} is an IN without an OUT; one BUNDLE is taken, and a "
            "service converts a live voice"
        )
