"""Who may ask: pages of this server alone, under a name that it answers to.

A page of any site can make a browser send requests to 127.0.0.1. It comes with a foreign Origin,
or, where its name was rebound to this machine, with a foreign Host. Streamlit checks websockets
alone, takes every port of this machine for itself, and looks up its own public address over the
internet before it refuses an Origin; so nothing that is foreign may reach it.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit import config
from streamlit.web.server.server_util import is_allowed_origin
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class Guard:
    """Passes on what may ask, and answers everything else with 403 and the reason."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = refusal(headers)
        if not reason:
            await self._app(_without_a_lookup(scope, headers), receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(POLICY_VIOLATION, reason)(scope, receive, send)
        else:
            await PlainTextResponse(reason, 403)(scope, receive, send)


def refusal(headers: Headers) -> str:
    """Why a request with these headers is refused; "" when it is not."""
    host, origin = headers.get("host"), headers.get("origin")
    if not is_host_allowed(host):
        names = ", ".join(config.get_option("server.allowedHosts"))
        return (
            f"Refused: this program answers to these names alone: {names}. "
            "Another one is allowed by --server.allowedHosts NAME."
        )
    if origin is None or _is_of(origin, host) or is_allowed_origin(origin):
        return ""
    return "Refused: this request comes from a page of another site or another port."


def _is_of(origin: str, host: str | None) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _without_a_lookup(scope: Scope, headers: Headers) -> Scope:
    """Streamlit would compare an Origin of `server.corsAllowedOrigins` with its public address."""
    if scope["type"] != "websocket" or _is_of(headers.get("origin", ""), headers.get("host")):
        return scope
    kept = [(name, value) for name, value in scope["headers"] if name != b"origin"]
    return {**scope, "headers": kept}
