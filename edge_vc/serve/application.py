"""The application: the page and its data, the live socket and the conversion of recordings."""

from __future__ import annotations

from importlib.resources import files

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from edge_vc.serve.access import AccessRules
from edge_vc.serve.controls import described_parameters
from edge_vc.serve.guard import AccessGuard
from edge_vc.serve.live_socket import LiveSocket
from edge_vc.serve.options import ServeOptions
from edge_vc.serve.slots import ConversionSlots
from edge_vc.serve.upload import RecordingEndpoint
from edge_vc.serve.voices import VoiceCatalogue
from edge_vc_runtime.audio.formats import readable_suffixes
from edge_vc_runtime.version import __version__

_SCRIPT, _STYLE, _HTML = "text/javascript", "text/css", "text/html"
_SCRIPTS = (
    "page", "budget", "drawing", "elements", "live", "player", "recording", "socket", "worklet",
)  # fmt: skip
PAGE = {"/": ("index.html", _HTML), "/style.css": ("style.css", _STYLE)} | {
    f"/{name}.js": (f"{name}.js", _SCRIPT) for name in _SCRIPTS
}
"""Files of the page by path; no other file of the package is served."""


def make_application(
    catalogue: VoiceCatalogue, options: ServeOptions, rules: AccessRules
) -> Starlette:
    """Return the ASGI application of one server."""
    live = ConversionSlots(options.connections, "microphones")
    recordings = ConversionSlots(options.connections, "recordings")
    folder = files("edge_vc.serve") / "page"
    page = {path: (folder / name).read_bytes() for path, (name, _) in PAGE.items()}
    facts = {
        "version": __version__,
        "voices": catalogue.described(),
        "parameters": described_parameters(),
        "upload_mb": options.upload_mb,
        "minutes": options.minutes,
        "suffixes": readable_suffixes(),
    }

    async def show(request: Request) -> Response:
        path = request.url.path
        return Response(page[path], media_type=PAGE[path][1])

    async def tell(request: Request) -> Response:
        return JSONResponse(facts)

    async def convert(socket: WebSocket) -> None:
        await LiveSocket(socket, catalogue).serve(live)

    routes = [
        *(Route(path, show, methods=["GET"]) for path in PAGE),
        Route("/facts", tell, methods=["GET"]),
        Route("/convert", RecordingEndpoint(catalogue, options, recordings), methods=["POST"]),
        WebSocketRoute("/live", convert),
    ]
    guard = Middleware(AccessGuard, rules=rules, secure=options.secure)
    return Starlette(routes=routes, middleware=[guard])
