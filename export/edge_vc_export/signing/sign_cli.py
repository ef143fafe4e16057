"""``edge-vc sign``: put a signature into a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.output import output_option
from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc_export.signing.keys import find_key
from edge_vc_export.signing.signer import KeySigner, sign_bundle
from edge_vc_runtime.files.output_kinds import BUNDLE_FILE
from edge_vc_runtime.message import printable

HELP = """Sign a bundle with the user's own OpenSSH.

The signature (ssh-keygen -Y sign, namespace edge-vc-bundle) covers the manifest, which holds the
hash of every other file. It becomes the second member of the archive, replacing an existing one;
all other bytes are unchanged.
"""
NOTES = notes(
    """
edge-vc sign kathleen.evc --key edge-vc
    with the key that `edge-vc keys new` made
edge-vc sign kathleen.evc --key ~/.ssh/id_ed25519 -o signed.evc
edge-vc sign kathleen.evc --key ~/.ssh/id_ed25519.pub
    the private half is in ssh-agent or a security key
""",
    "0 done, 2 bad bundle or key, 130 Ctrl-C",
)

SIGNED = replace(BUNDLE_FILE, replaces=("bundle",))

app = verb_app()


@app.command("sign", cls=Verb, help=HELP, epilog=NOTES)
def sign(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="The bundle (.evc).", show_default=False)
    ],
    key: Annotated[
        str, typer.Option(help="A key file, or the name of a key of `edge-vc keys list`.")
    ],
    output: Annotated[
        Path | None,
        output_option(
            SIGNED, "--output", "-o", help="The signed bundle.", show_default="BUNDLE itself"
        ),
    ] = None,
) -> None:
    """See `HELP`."""
    made = sign_bundle(bundle, KeySigner(find_key(key)), output)
    said = f"{made}: signed; check it: edge-vc verify {made} --allowed-signers FILE"
    typer.echo(printable(said), err=True)
