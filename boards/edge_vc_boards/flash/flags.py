"""The arguments of ``edge-vc flash`` for boards, fleets and bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.assets import bundle_names
from edge_vc.command_line.output import output_option
from edge_vc_boards.profile_folder import board_names
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.files.output_place import OutputPlace

BundleArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[BUNDLE]",
        help="A bundle (.evc), or the name of a shipped one.",
        show_default=False,
        autocompletion=lambda: list(bundle_names()),
    ),
]

RunArgumentsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[-- ARGUMENT...]", help="Arguments of `run`.", show_default=False),
]

ToOption = Annotated[
    str | None, typer.Option(metavar="USER@HOST", help="The board.", show_default=False)
]

InventoryOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Boards of a fleet, TOML or Ansible's YAML (.yml), instead of --to.",
        show_default=False,
    ),
]

GroupOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Only boards of this group; may be repeated."),
]

ParallelOption = Annotated[
    int, typer.Option(min=1, max=64, help="Boards of a fleet at a time, after the first.")
]

PortOption = Annotated[
    int | None, typer.Option(min=1, max=65535, show_default="ssh's", help="Port of its SSH server.")
]

IdentityOption = Annotated[
    Path | None, typer.Option(show_default="ssh's", help="Private key to log in with.")
]

SshOptionOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="As `ssh -o` takes it; may be repeated."),
]

RootOption = Annotated[
    str, typer.Option(metavar="DIR", help="Folder on the board, or of your home folder there.")
]

BoardOption = Annotated[
    str | None,
    typer.Option(
        help="Its profile, one of `edge-vc boards`.",
        show_default="found out",
        autocompletion=lambda: list(board_names()),
    ),
]

EngineOption = Annotated[
    str | None, typer.Option(help="Engine, e.g. onnx.", show_default="the profile's")
]

WheelsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder of `edge-vc wheels`.", show_default="collected, then kept"
    ),
]

TrustOption = Annotated[
    Path | None,
    typer.Option(metavar="KEY.pub", help="The signer's key, for the board's allowed_signers."),
]

AllowUnsignedOption = Annotated[
    bool, typer.Option("--allow-unsigned", help="Take a bundle without a signature as well.")
]

AllowDowngradeOption = Annotated[
    bool, typer.Option("--allow-downgrade", help="Take an older version as well.")
]

NoServiceOption = Annotated[
    bool, typer.Option("--no-service", help="Install, but leave systemd alone.")
]

DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Print every command; change nothing."),
]

ShowListOption = Annotated[
    bool, typer.Option("--list", help="List the releases there and what happened.")
]

RollbackOption = Annotated[
    bool, typer.Option("--rollback", help="Make the release before current again.")
]

UninstallOption = Annotated[
    bool, typer.Option("--uninstall", help="Remove everything but allowed_signers.")
]

BundleAppOption = Annotated[
    Path | None,
    output_option(
        OutputPlace(),
        metavar="OUT",
        help="Write one executable file: runtime, wheels and bundle.",
    ),
]

ConfigureAudioOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CARD",
        help="Overlay of an I2S card, usb:VENDOR:PRODUCT=NAME, or none; may be repeated.",
    ),
]

AnsibleOption = Annotated[
    Path | None,
    output_option(FOLDER, help="Write an Ansible playbook that does the same."),
]
