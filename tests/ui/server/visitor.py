"""A visitor without a browser: Streamlit's own messages over a websocket, and plain requests.

It can send what a browser never would, such as another Host or a foreign Origin.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

PATIENCE_SECONDS = 120.0  # for a loaded machine; a healthy one never waits this long
BOUNDARY = "boundary-of-parts"


class Visitor:
    """One session of the program. Its attributes hold what the server has said so far."""

    def __init__(
        self,
        address: str,
        *,
        host: str | None = None,
        origin: str | None = None,
        queue: int | None = None,
    ) -> None:
        """host, origin: other headers than a browser at this address would send.

        queue: how many messages are read before somebody hears them; None is all.
        """
        self.address, server = address, urlsplit(address)
        assert server.hostname is not None
        host = server.netloc if host is None else host
        connecting = connect(
            f"ws://{host}/_stcore/stream",
            sock=socket.create_connection((server.hostname, server.port or 80)),
            origin=f"http://{host}" if origin is None else origin,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            max_queue=queue,
            proxy=None,
            open_timeout=PATIENCE_SECONDS,
            close_timeout=1,  # what is said after the end is nobody's concern
        )
        self._held = ExitStack()
        self.connection: ClientConnection = self._held.enter_context(connecting)
        self.session_id = ""
        self.text = ""
        self.runs_ended = 0
        self.fragments: list[str] = []  # ids of those that are run again and again
        self.places: list[list[int]] = []  # where the last run drew, in order

    def upload_request(self, size: int) -> tuple[str, dict[str, str]]:
        """Path and headers of a request that gives the open page a body of this size."""
        answer, _ = request(self.address, "/_stcore/health")
        cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
        return f"/_stcore/upload_file/{self.session_id}/1", {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(size),
            "Cookie": cookie,
            "X-Xsrftoken": cookie.partition("=")[2],
        }

    def open(self, page: str = "", fragment: str = "") -> None:
        """Ask for a page, as a browser does when its address is opened, or for a part of it."""
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.fragment_id = fragment
        self.connection.send(message.SerializeToString())

    def hear(self) -> None:
        """Read the next thing that the server says."""
        said = self.connection.recv(timeout=PATIENCE_SECONDS)
        assert isinstance(said, bytes)
        message = ForwardMsg()
        message.ParseFromString(said)
        if message.HasField("new_session"):
            self.session_id = message.new_session.initialize.session_id
            self.places = []
        elif message.HasField("auto_rerun"):
            self.fragments.append(message.auto_rerun.fragment_id)
        elif message.HasField("script_finished"):
            self.runs_ended += 1
        elif message.HasField("delta") or message.HasField("ref_hash"):
            self.places.append(list(message.metadata.delta_path))
        self.text += str(message)

    def hear_until(self, condition: Callable[[Self], bool]) -> None:
        """Read what the server says until this holds."""
        while not condition(self):
            self.hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()


def request(
    address: str,
    path: str,
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    body: bytes | None = None,
) -> tuple[HTTPResponse, bytes]:
    """A plain request, and the body of its answer."""
    server = urlsplit(address)
    assert server.hostname is not None
    connection = HTTPConnection(server.hostname, server.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()
