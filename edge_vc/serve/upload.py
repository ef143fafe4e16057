"""``POST /convert``: a recording in the request, its conversion in the response, both streamed."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from threading import Event

from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from edge_vc.serve.controls import VoiceControls
from edge_vc.serve.options import ServeOptions
from edge_vc.serve.recording import RecordingConversion, RecordingFacts, measure_recording
from edge_vc.serve.slots import BusyError, ConversionSlots
from edge_vc.serve.voices import ServeError, VoiceCatalogue
from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.message import one_line

_STALL_S = 30.0  # between two chunks of the body


class UploadTooLargeError(ServeError):
    """A recording beyond the size limit; one-line message."""


class RecordingEndpoint:
    """Converts one recording per request.

    Query: ``voice``, optionally ``pair=1`` for the recording beside its conversion, and
    parameters of the chain by name. Errors are JSON objects with ``error``.
    """

    def __init__(
        self, catalogue: VoiceCatalogue, options: ServeOptions, slots: ConversionSlots
    ) -> None:
        self._catalogue = catalogue
        self._options = options
        self._slots = slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            with self._slots.take(), tempfile.TemporaryDirectory(prefix="edge-vc-") as folder:
                await self._convert(scope, receive, send, Path(folder) / "recording")
        except ClientDisconnect:
            return
        except BusyError as error:
            await _refuse(503, error)(scope, receive, send)
        except UploadTooLargeError as error:
            await _refuse(413, error)(scope, receive, send)
        except TimeoutError:
            await _refuse(408, "the upload stalled; send it again")(scope, receive, send)
        except (AudioIOError, ServeError) as error:
            text = str(error).replace(f"{Path(folder) / 'recording'}", "the recording")
            await _refuse(422, text)(scope, receive, send)

    async def _convert(self, scope: Scope, receive: Receive, send: Send, path: Path) -> None:
        request = Request(scope, receive)
        query = dict(QueryParams(scope["query_string"]))
        voice, pair = query.pop("voice", self._catalogue.facts[0].key), query.pop("pair", "")
        controls = VoiceControls(self._catalogue, query)
        converter = await asyncio.to_thread(controls.open, voice)
        await self._store(request, path)
        facts = await self._measure(path)
        result = RecordingConversion(facts, converter, pair == "1")
        headers = [(b"content-type", b"audio/wav"), (b"content-length", b"%d" % result.size)]
        if facts.notice:
            notice = one_line(facts.notice.replace(str(path), "the recording"))
            headers.append((b"edge-vc-notice", notice.encode("ascii", "replace")))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._stream(iterate_in_threadpool(iter(result)), receive, send)

    async def _measure(self, path: Path) -> RecordingFacts:
        stop = Event()
        try:
            return await asyncio.to_thread(measure_recording, path, self._options.minutes, stop)
        finally:
            stop.set()  # a stopping server does not wait until a long recording is read

    async def _store(self, request: Request, path: Path) -> None:
        """Write the body to a file as it arrives; raises at the first byte beyond the limit."""
        limit = self._options.upload_mb * 1_000_000
        refusal = f"the recording is larger than {self._options.upload_mb} MB; cut or compress it"
        promised = request.headers.get("content-length", "")
        if promised.isdecimal() and int(promised[:20]) > limit:
            raise UploadTooLargeError(refusal)
        pieces, size = aiter(request.stream()), 0
        with path.open("wb") as file:
            while True:
                try:
                    piece = await asyncio.wait_for(anext(pieces), _STALL_S)
                except StopAsyncIteration:
                    return
                size += len(piece)
                if size > limit:
                    raise UploadTooLargeError(refusal)
                await asyncio.to_thread(file.write, piece)

    async def _stream(self, pieces: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
        """Send the pieces; stop converting if the client disconnects."""
        left = asyncio.ensure_future(_gone(receive))
        try:
            async for piece in pieces:
                if left.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            return
        finally:
            left.cancel()
            with suppress(asyncio.CancelledError):
                await left


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _refuse(status: int, error: Exception | str) -> JSONResponse:
    return JSONResponse({"error": one_line(error)}, status, {"connection": "close"})
