"""A browser that fell behind does not sit before a page that looks alive and hears nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.ui.server.conftest import started, wait_until
from tests.ui.server.visitor import Visitor, request

FLOODING = Path(__file__).parent / "apps" / "flooding.py"


def click_on(visitor: Visitor) -> None:
    """For ever, reading what the server had sent before."""
    while True:
        visitor.open()
        visitor.hear()


def test_a_page_that_was_given_up_is_told_so_when_it_speaks(tmp_path: Path) -> None:
    with started(tmp_path, FLOODING) as server, Visitor(server.address, queue=1) as visitor:
        visitor.open()
        visitor.hear_until(lambda own: bool(own.session_id))
        path, headers = visitor.upload_request(0)

        def is_given_up() -> bool:
            _, said = request(server.address, path, headers, method="PUT")
            return b"Invalid session_id" in said

        wait_until(is_given_up, "the server to give up")
        with pytest.raises(ConnectionClosed):
            click_on(visitor)
        assert "the end" not in visitor.text
