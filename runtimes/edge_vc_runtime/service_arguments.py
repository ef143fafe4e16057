"""Arguments of the service's ``run``, checked before the service is created."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from edge_vc_runtime.install.error import InstallError
from edge_vc_runtime.run_arguments import add_run
from edge_vc_runtime.verb_parser import VerbParser


def check_run_arguments(words: Sequence[str], where: str = "arguments after --") -> None:
    """Reject arguments that ``edge-vc-rt run`` would not accept; raises `InstallError`.

    A host may check them for its board, which gets the same runtime and so has the same options.
    """
    if not words:
        return
    commands = VerbParser("edge-vc").add_subparsers(required=True, metavar="COMMAND")
    add_run(commands, "edge-vc")
    said = io.StringIO()
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(said):
            given = commands.choices["run"].parse_args(["bundle.evc", *words])
    except SystemExit as error:
        what = said.getvalue().strip().partition("error: ")[2]
        raise InstallError(f"{where}: {what or 'a service needs no help'}") from error
    if given.input is not None and given.output is None:
        raise InstallError(
            f"{where}: {given.input!r:.100} is an IN without an OUT; one BUNDLE is taken, and a "
            "service converts a live voice"
        )
