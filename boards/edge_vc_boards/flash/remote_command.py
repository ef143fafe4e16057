"""Runs the board command of an installation over SSH and returns its JSON."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.request import check_root
from edge_vc_boards.flash.ssh import RemoteOutput, SshConnection, SshTarget
from edge_vc_runtime.files.output_kinds import JSON_REPORT, PNG_PICTURE
from edge_vc_runtime.install.layout import DEFAULT_ROOT
from edge_vc_runtime.outputs import check_outputs
from edge_vc_runtime.verb_parser import VerbParser

OPTIONS_HELP = f"""\
  --root DIR             folder of the installation there (default: {DEFAULT_ROOT})
  --port N, --identity KEY, --ssh-option KEY=VALUE
                         as for `edge-vc flash`
"""


_WRITTEN = {"--json": JSON_REPORT, "--png": PNG_PICTURE}


@dataclass(frozen=True)
class RemoteCommand:
    """A verb of ``edge-vc-rt``, run with a board's current release."""

    target: SshTarget
    root: str
    verb: str

    @property
    def bundle(self) -> str:
        """Path of the current bundle on the board."""
        return f"{self.root}/current/bundle.evc"

    def run(
        self,
        words: Sequence[str],
        accepted: Sequence[int],
        timeout_s: float,
        stdin: bytes | None = None,
    ) -> RemoteOutput:
        """Run it; raises `FlashError` if its exit code is not one of ``accepted``."""
        program = f"{self.root}/venv/bin/edge-vc-rt"
        with SshConnection(self.target) as connection:
            line = [program, self.verb, self.bundle, *words]
            done = connection.run(line, stdin, timeout_s)
        if done.code not in accepted:
            missing = "; edge-vc flash BUNDLE brings it there" * (done.code in (126, 127))
            raise FlashError(f"{self.target.name}: {done.last_line()}{missing}")
        return done


def remote_parser(prog: str, *files: str) -> argparse.ArgumentParser:
    """Return the parser of the local options; ``files`` are options that write local files."""
    parser = VerbParser(prog, add_help=False, allow_abbrev=False)
    parser.add_argument("--remote", required=True, metavar="USER@HOST")
    parser.add_argument("--root", default=str(DEFAULT_ROOT))
    parser.add_argument("--port", type=int)
    parser.add_argument("--identity", type=Path)
    parser.add_argument("--ssh-option", action="append", default=[])
    for name in files:
        parser.add_argument(name, type=_WRITTEN[name])
    parser.set_defaults(parser=parser)
    return parser


def remote_command(verb: str, here: argparse.Namespace) -> RemoteCommand:
    """Return the command that the options request; raises `FlashError`.

    Local output paths are checked before anything runs on the board: raises `OutputError`.
    """
    check_outputs(here)
    check_root(here.root)
    target = SshTarget(here.remote, here.port, here.identity, tuple(here.ssh_option))
    return RemoteCommand(target, here.root, verb)
