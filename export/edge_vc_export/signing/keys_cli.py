"""``edge-vc keys``: make a key for signing bundles, or list the existing keys."""

from __future__ import annotations

import getpass
import platform
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_vc.command_line.errors import InputError
from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import Verb, VerbGroup, notes, verb_app
from edge_vc_export.signing.keys import KINDS, keys_folder, list_keys, new_key
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.message import printable

HELP = """Make a key for signing bundles, or list the keys.

Keys are ordinary OpenSSH keys, made by ssh-keygen, which asks for a passphrase on the terminal.
Other keys work as well: `edge-vc sign --key` takes any key that ssh-keygen can use.
"""
NEW_NOTES = notes(
    """
edge-vc keys new > allowed_signers
    the key and, on stdout, its line for the boards' list of signers
edge-vc keys new release --identity me@example.com --type ed25519-sk
    a key on a hardware security key that has to be touched
edge-vc keys new ci --no-passphrase --until 2027-06-30 >> allowed_signers
    boards accept it until the end of that day
""",
    "0 done, 2 bad name, existing key, or ssh-keygen failed; 130 Ctrl-C",
)
LIST_NOTES = notes(
    """
edge-vc keys list
edge-vc keys list --allowed-signers > allowed_signers
""",
    "0 done, 2 a key that cannot be read",
)

app = verb_app(cls=VerbGroup, no_args_is_help=True)
_FOLDER: dict[str, Any] = {
    "help": "Folder of the keys.",
    "default_factory": keys_folder,
    "show_default": "$XDG_CONFIG_HOME/edge-vc/keys",
}
Folder = Annotated[Path, typer.Option("--folder", **_FOLDER)]
NewFolder = Annotated[Path, output_option(FOLDER, "--folder", **_FOLDER)]


@app.callback(help=HELP)
def keys() -> None:
    """See `HELP`."""


@app.command("new", cls=Verb, epilog=NEW_NOTES)
def new(
    folder: NewFolder,
    name: Annotated[str, typer.Argument(help="The key's file name.")] = "edge-vc",
    identity: Annotated[
        str | None,
        typer.Option(help="Identity of the signer, as listed on boards.", show_default="user@host"),
    ] = None,
    kind: Annotated[str, typer.Option("--type", help=f"One of {', '.join(KINDS)}.")] = KINDS[0],
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Make a key without a passphrase.")
    ] = False,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Last day on which boards accept it."),
    ] = None,
) -> None:
    """Make a key pair; print its line for a board's allowed_signers."""
    if kind not in KINDS:
        raise InputError(f"--type is {kind!r:.40}, it has to be one of {', '.join(KINDS)}")
    made = new_key(folder, name, identity or _own_identity(), kind, not no_passphrase)
    said = f"{made.path}: {made.kind}, {made.fingerprint}; keep it secret"
    typer.echo(printable(said), err=True)
    typer.echo(made.signer_line(until.date() if until else None))


@app.command("list", cls=Verb, epilog=LIST_NOTES)
def list_(
    folder: Folder,
    signers: Annotated[
        bool, typer.Option("--allowed-signers", help="Print lines for a board's list of signers.")
    ] = False,
) -> None:
    """List the keys: name, kind, fingerprint, who signs with it."""
    for key in list_keys(folder):
        facts = (key.path.name, key.kind, key.fingerprint, key.identity)
        typer.echo(key.signer_line() if signers else "  ".join(facts))


def _own_identity() -> str:
    """Return ``user@host`` without characters that have a meaning in a list of signers."""
    return re.sub(r"[^A-Za-z0-9._+@-]", "-", f"{getpass.getuser()}@{platform.node()}")
