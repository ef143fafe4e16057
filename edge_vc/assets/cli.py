"""``edge-vc bundles``: the bundles that ship with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_vc.assets import bundle_names, bundle_path
from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc_runtime.message import shown_path

if TYPE_CHECKING:
    from edge_vc_runtime.bundle.manifest import Manifest

HELP = """List the shipped bundles: tier, size, latency, voice, licence and path.

run, profile, inspect, choose, export and evaluate take a name from this list instead of a file.
"""
NOTES = notes(
    """
edge-vc bundles
edge-vc run kathleen-base in.wav out.wav
edge-vc run kathleen-flemish in.wav out.wav --voice flemish
cp "$(edge-vc bundles --path kathleen-base)" board/
""",
    "0 done, 2 no such bundle",
)
_COLUMNS = ("name", "tier", "size", "algorithmic latency", "voice", "licence", "path")

app = verb_app()


@app.command("bundles", cls=Verb, help=HELP, epilog=NOTES)
def bundles(
    path: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Print the path of one bundle.",
            autocompletion=lambda: list(bundle_names()),
        ),
    ] = None,
) -> None:
    """See `HELP`."""
    if path is not None:
        typer.echo(shown_path(bundle_path(path)), color=True)
        return
    rows = [_COLUMNS, *(_row(bundle_path(name)) for name in bundle_names())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(map(str.ljust, row, widths)).rstrip())


def _voices(path: Path, manifest: Manifest) -> tuple[str, ...]:
    """Return the voices of a bundle; the name of a shipped bundle with one voice begins with it."""
    voices = [spec.labels for spec in manifest.inputs if spec.name == "voice"]
    return voices[0] if voices else (path.stem.partition("-")[0],)


def _row(path: Path) -> tuple[str, ...]:
    """Return a bundle's facts according to its manifest."""
    from edge_vc_runtime.bundle.reader import read_bundle

    manifest = read_bundle(path).manifest
    return (
        path.stem,
        next(model.tier for model in manifest.models if model.file == manifest.default),
        f"{path.stat().st_size / 1e6:.1f} MB",
        f"{manifest.algorithmic_ms:g} ms",
        ", ".join(name.capitalize() for name in _voices(path, manifest)),
        manifest.licence,
        str(path),
    )
