"""``edge-vc validate --remote``: a bundle validated here and on a board, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from edge_vc.assets import find_bundle
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.remote_command import (
    OPTIONS_HELP,
    remote_command,
    remote_parser,
)
from edge_vc_boards.flash.ssh import RemoteOutput
from edge_vc_runtime.arguments import verb_parser
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.schema.fields import FieldError
from edge_vc_runtime.validation.commands import show
from edge_vc_runtime.validation.validation import Validation, validate_bundle

PROG = "edge-vc"
HELP = f"""
on a board:
  edge-vc validate BUNDLE --remote USER@HOST [OPTION...]
      validates the bundle here and the same one, which `edge-vc flash` has installed, there, and
      puts both side by side; --json writes the board's result here; 1 where either is outside
{OPTIONS_HELP}
  edge-vc validate kathleen.evc --remote pi@raspberrypi.local
"""
_TIMEOUT_S = 900.0
_CHECK_FAILED = 1


def run(words: Sequence[str]) -> int:
    """Validate on both machines and show the table; return the exit code.

    Raises `FlashError` when the board cannot be reached, has another bundle or validates nothing.
    """
    here, rest = remote_parser(f"{PROG} validate", "--json").parse_known_args(words)
    wanted = verb_parser("validate", PROG).parse_args(rest)
    command = remote_command("validate", here)
    options = ["--engine", wanted.engine, "--threads", str(wanted.threads), "--json", "-"]
    done = command.run(options, (0, _CHECK_FAILED), _TIMEOUT_S)
    there = _read(command.target.name, done)
    own = validate_bundle(read_bundle(find_bundle(wanted.bundle)), wanted.engine, wanted.threads)
    if own.digest != there.digest:
        raise FlashError(
            f"{command.target.name}: has another bundle, {there.bundle!r:.80}; edge-vc flash "
            f"{wanted.bundle} brings this one there"
        )
    show([own, there], ["here", command.target.name], here.json)
    return 0 if own.passed and there.passed else _CHECK_FAILED


def _read(name: str, done: RemoteOutput) -> Validation:
    try:
        return Validation.from_json(done.stdout.encode())
    except FieldError as error:
        said = f": {done.last_line()}" if done.code else ""
        raise FlashError(f"{name}: sent no validation: {error}{said}") from error
