"""Middleware in front of the application: enforces access rules, adds the response headers."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_vc.serve.access import AccessRules

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content-Security-Policy: the page loads only its own files."""
HEADERS = {
    "content-security-policy": POLICY,
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_NEEDS_TOKEN = "This server needs its token: open the address that its terminal shows.\n"


class AccessGuard:
    """An ASGI middleware that enforces the access rules."""

    def __init__(self, app: ASGIApp, rules: AccessRules, secure: bool) -> None:
        self._app = app
        self._rules = rules
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await refusal(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = hosts[0] if len(hosts) == 1 else ""
        origins = headers.getlist("origin")
        reason = self._rules.check_host(host) or self._rules.check_origin(
            ", ".join(origins) if origins else None, host, scope["type"] == "websocket"
        )
        if reason:
            return PlainTextResponse(f"Refused: {reason}.\n", 403)
        return self._ask_token(scope, headers) if self._rules.token else None

    def _ask_token(self, scope: Scope, headers: Headers) -> Response | None:
        if self._rules.knows(_cookie(headers, self._rules.cookie)):
            return None
        given = QueryParams(scope["query_string"]).get("token", "")
        if scope["type"] == "http" and scope["path"] == "/" and self._rules.knows(given):
            # Remove the token from the address bar, and so from the history and copied addresses.
            answer = RedirectResponse("/", 303)
            # Lax, not strict: the address may have been opened from a message on another site.
            answer.set_cookie(
                self._rules.cookie,
                given,
                httponly=True,
                secure=self._secure,
                samesite="lax",
            )
            return answer
        return PlainTextResponse(_NEEDS_TOKEN, 403)


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return answer
