"""``edge-vc serve``: serve a page that converts the browser's microphone and recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.assets import bundle_names, find_bundle
from edge_vc.command_line.errors import InputError
from edge_vc.command_line.verb import Verb, notes, verb_app
from edge_vc.serve.options import DEFAULT_PORT, LOOPBACK, ServeOptions
from edge_vc_runtime.message import printable

HELP = """Serve a page that converts the browser's microphone, and recordings dropped on it.

The page is reachable from this machine only. With another --host it needs a token, which the
printed address contains. Browsers allow the microphone on localhost or over https (--cert, --key).
"""
NOTES = notes(
    """
edge-vc serve kathleen-base --open
edge-vc serve kathleen-base kathleen-nano --port 9000
edge-vc serve mine.evc --host 0.0.0.0 --cert cert.pem --key key.pem
""",
    "2 bad input, 130 Ctrl-C",
)

app = verb_app()


@app.command("serve", cls=Verb, help=HELP, epilog=NOTES)
def serve(
    bundle: Annotated[
        list[str],
        typer.Argument(
            help="Bundles to serve, files or shipped names; the page starts with the first.",
            show_default=False,
            autocompletion=lambda: list(bundle_names()),
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = LOOPBACK,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")
    ] = DEFAULT_PORT,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in this machine's browser.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Further host name under which browsers may access the server."),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(help="Certificate (PEM) for https, with --key.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Private key (PEM) of --cert.")] = None,
    connections: Annotated[
        int,
        typer.Option(min=1, max=64, help="Microphones, and recordings, converted at once."),
    ] = 2,
    upload_mb: Annotated[int, typer.Option(min=1, max=4000, help="Largest recording in MB.")] = 100,
    minutes: Annotated[
        float, typer.Option(min=0.1, max=240.0, help="Longest recording in minutes.")
    ] = 30.0,
    engine: Annotated[str, typer.Option(help="Inference engine: auto, litert, onnx.")] = "auto",
) -> None:
    """See `HELP`."""
    paths = [find_bundle(given) for given in bundle]
    options = ServeOptions(
        host, port, tuple(name or ()), cert, key, connections, upload_mb, minutes, engine
    )
    _require()
    # Web framework and engines are loaded only when the command runs.
    from edge_vc.serve.access import rules_for
    from edge_vc.serve.address import describe_address, page_address
    from edge_vc.serve.application import make_application
    from edge_vc.serve.server import check_certificate, make_server, open_socket
    from edge_vc.serve.voices import VoiceCatalogue

    check_certificate(options)
    catalogue = VoiceCatalogue.read(paths, options.engine)
    with open_socket(options) as listener:
        real = listener.getsockname()[1]
        rules = rules_for(options.host, real, options.names)
        address = page_address(options, real, rules.token)

        def announce() -> None:
            voices = ", ".join(facts.key for facts in catalogue.facts)
            typer.echo(printable(f"serving {voices} at {address}"))
            for line in describe_address(options, real):
                typer.echo(printable(line), err=True)
            if open_page:
                typer.launch(address)

        make_server(make_application(catalogue, options, rules), options, announce).run([listener])


def _require() -> None:
    """Raise `InputError` with the install command if a package for serving is missing."""
    from importlib.util import find_spec

    for module in ("starlette", "uvicorn", "websockets"):
        if find_spec(module) is None:
            raise InputError(f"serve needs {module}: pip install 'edge-vc[serve]'")
