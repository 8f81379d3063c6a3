"""A page whose connection Streamlit has given up is told so, and connects again.

Where 500 messages wait for a browser that is busy, Streamlit disconnects the session and leaves
the socket open: the browser takes its page for alive, and every click on it is dropped. When the
socket closes it connects again by itself, to the same session, with everything that was open.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

TRY_AGAIN_LATER = 1013  # of IANA's registry of close codes


class CloseGivenUp:
    """Closes a websocket when its browser speaks, and the session listens no longer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        session = ""

        async def send_and_look(message: Message) -> None:
            nonlocal session
            if not session and message.get("bytes"):
                session = _session_of(message["bytes"])
            await send(message)

        async def receive_while_heard() -> Message:
            message = await receive()
            given_up = session and not runtime.get_instance().is_active_session(session)
            if message["type"] == "websocket.receive" and given_up:
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
                return {"type": "websocket.disconnect", "code": TRY_AGAIN_LATER}
            return message

        await self._app(scope, receive_while_heard, send_and_look)


def _session_of(data: bytes) -> str:
    """The session that a message to the browser names: the first one does."""
    message = ForwardMsg()
    message.ParseFromString(data)
    return str(message.new_session.initialize.session_id)
