"""``edge-vc validate --remote``: a bundle validated here and on a board, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_vc.assets import find_bundle
from edge_vc.command_line.notices import name_notices
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.remote_command import (
    OPTIONS_HELP,
    remote_command,
    remote_parser,
)
from edge_vc_boards.flash.remote_speech import (
    converted_here,
    converted_there,
    speech_figures,
    speech_of,
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
      validates the bundle here and on the board, where `edge-vc flash` has installed the same one,
      and shows both side by side; then both convert speech, and the board's output is measured
      here: SNR and log-spectral distance to the host's, level, F0 and its correlation with the
      source's; --json writes the board's result here; 1 if either is out of tolerance
  --speech FILE          up to 10 s of a recording (default: the golden recording's input)
{OPTIONS_HELP}
  edge-vc validate kathleen.evc --remote pi@raspberrypi.local
"""
_TIMEOUT_S = 900.0
_CHECK_FAILED = 1


def run(words: Sequence[str]) -> int:
    """Validate on both machines and show the table; return the exit code.

    Raises `FlashError` if the board cannot be reached, has another bundle or returns no result.
    """
    parser = remote_parser(f"{PROG} validate", "--json")
    parser.add_argument("--speech", type=Path)
    here, rest = parser.parse_known_args(words)
    wanted = verb_parser("validate", PROG).parse_args(rest)
    command = remote_command("validate", here)
    bundle = read_bundle(find_bundle(wanted.bundle))
    speech = speech_of(bundle, here.speech)
    name_notices([here.speech] if here.speech else [])
    options = ["--engine", wanted.engine, "--threads", str(wanted.threads)]
    done = command.run([*options, "--json", "-"], (0, _CHECK_FAILED), _TIMEOUT_S)
    there = _read(command.target.name, done)
    own = validate_bundle(bundle, wanted.engine, wanted.threads)
    if own.digest != there.digest:
        raise FlashError(
            f"{command.target.name}: has another bundle, {there.bundle!r:.80}; edge-vc flash "
            f"{wanted.bundle} brings this one there"
        )
    made = converted_here(bundle, speech, wanted.engine, wanted.threads)
    sent_back = converted_there(replace(command, verb="run"), speech, options)
    figures = speech_figures(speech, made, sent_back, bundle.manifest.sample_rate)
    both = [replace(each, speech=found) for each, found in zip((own, there), figures, strict=True)]
    show(both, ["here", command.target.name], here.json)
    return 0 if all(each.passed for each in both) else _CHECK_FAILED


def _read(name: str, done: RemoteOutput) -> Validation:
    try:
        return Validation.from_json(done.stdout.encode())
    except FieldError as error:
        said = f": {done.last_line()}" if done.code else ""
        raise FlashError(f"{name}: sent no validation: {error}{said}") from error
