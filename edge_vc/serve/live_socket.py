"""The WebSocket of one page: requests, audio in both directions and status messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from edge_vc.serve.controls import VoiceControls
from edge_vc.serve.conversion import LiveConversion
from edge_vc.serve.outbox import Outbox
from edge_vc.serve.pipeline import HopPipeline
from edge_vc.serve.protocol import (
    Ping,
    ProtocolError,
    SelectVoice,
    SetParameter,
    Start,
    read_frame,
    read_request,
    write_frame,
)
from edge_vc.serve.slots import BusyError, ConversionSlots
from edge_vc.serve.voices import ServeError, VoiceCatalogue
from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.message import one_line
from edge_vc_runtime.tiers.warm_up import warm_up

_START_S = 10.0  # for the first message
_IDLE_S = 30.0  # without any message: the page is gone or asleep
_STATUS_S = 0.5
_CLOSE_S = 1.0
_POLICY, _BROKEN, _LATER = 1008, 1011, 1013
_REFUSED = (AudioIOError, BundleError, EngineError, ProtocolError, ServeError)


class LiveSocket:
    """One connection from its first message to its end."""

    def __init__(self, socket: WebSocket, catalogue: VoiceCatalogue) -> None:
        self._socket = socket
        self._catalogue = catalogue
        self._loop = asyncio.get_running_loop()

    async def serve(self, slots: ConversionSlots) -> None:
        """Convert until the page disconnects; an invalid message closes the connection."""
        await self._socket.accept()
        try:
            with slots.take():
                await self._converse()
        except BusyError as error:
            await self._close(_LATER, str(error))
        except TimeoutError:
            await self._close(_POLICY, "the page sent nothing for too long")
        except _REFUSED as error:
            await self._close(_POLICY, str(error))
        except WebSocketDisconnect:
            pass
        except Exception:
            await self._close(_BROKEN, "the conversion failed; see the server's terminal")
            raise

    async def _converse(self) -> None:
        start = await self._receive(_START_S)
        if not isinstance(start, Start):
            raise ProtocolError("audio or a request before the start")
        self._rate, self._outbox = start.rate, Outbox(start.rate)
        self._controls = VoiceControls(self._catalogue, start.settings)
        pipeline = await asyncio.to_thread(self._open, start.voice)
        failed: asyncio.Future[None] = self._loop.create_future()
        conversion = LiveConversion(
            pipeline,
            lambda frame: self._call(self._outbox.put, frame),
            lambda error: self._call(_fail, failed, error),
        )
        conversion.start()
        tasks = [
            asyncio.ensure_future(self._answer(conversion)),
            asyncio.ensure_future(self._send_audio()),
            asyncio.ensure_future(self._send_status(conversion)),
            failed,
        ]
        try:
            await self._tell("ready", frame=pipeline.hop_samples)
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            conversion.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, conversion: LiveConversion) -> None:
        while True:
            message = await self._receive(_IDLE_S)
            match message:
                case bytes():
                    frame = read_frame(message)
                    self._outbox.acknowledge(frame.acknowledged)
                    conversion.push(frame)
                case Ping(number):
                    await self._tell("pong", number=number)
                case SetParameter(name, value):
                    await self._set(name, value)
                case SelectVoice(key):
                    opened = await asyncio.to_thread(self._open, key)
                    conversion.replace(opened)
                    await self._tell("voice", key=key, frame=opened.hop_samples)
                case Start():
                    raise ProtocolError("a second start")

    def _open(self, key: str) -> HopPipeline:
        converter = self._controls.open(key)
        warm_up(converter)
        return HopPipeline(converter, self._rate)

    async def _receive(self, seconds: float) -> Any:
        """Return the next message: binary as bytes, text as the parsed request."""
        message = await asyncio.wait_for(self._socket.receive(), seconds)
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        data = message.get("bytes")
        return data if data is not None else read_request(message["text"])

    async def _set(self, name: str, value: object) -> None:
        try:
            await self._tell("set", name=name, value=self._controls.set(name, value))
        except ServeError as error:
            await self._tell("refused", message=one_line(error))

    async def _send_audio(self) -> None:
        while True:
            await self._socket.send_bytes(write_frame(await self._outbox.take()))

    async def _send_status(self, conversion: LiveConversion) -> None:
        while True:
            await asyncio.sleep(_STATUS_S)
            facts = asdict(conversion.status()) | {"unsent": self._outbox.dropped}
            await self._tell("status", **facts | self._controls.status())

    async def _tell(self, kind: str, **values: object) -> None:
        await self._socket.send_text(json.dumps({"type": kind, **values}))

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the event loop, from the conversion's thread."""
        with suppress(RuntimeError):  # the loop has ended, so nobody is listening
            self._loop.call_soon_threadsafe(function, *arguments)

    async def _close(self, code: int, reason: str) -> None:
        """Close with a reason that fits a close frame; give up on an unresponsive page."""
        text = one_line(reason).encode("ascii", "replace")[:120].decode()
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            await asyncio.wait_for(self._socket.close(code, text), _CLOSE_S)


def _fail(failed: asyncio.Future[None], error: Exception) -> None:
    if not failed.done():
        failed.set_exception(error)
