"""Who may ask the server, what it lets nobody else do, and what its answers carry."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import st_aggrid
from starlette.datastructures import Headers
from streamlit.testing.v1.util import patch_config_options
from websockets.exceptions import InvalidStatus

from medgemma_dash.core.plotly_script import PLOTLY_SCRIPT
from medgemma_dash.ui.server import plotly_route
from medgemma_dash.ui.server.guard import refusal
from medgemma_dash.ui.server.headers import content_security_policy
from tests.ui.server.conftest import wait_until
from tests.ui.server.visitor import BOUNDARY, Visitor, request

FIVE_MEGABYTES = os.urandom(5 << 20)


def test_a_page_at_the_servers_own_address_is_answered(watched: tuple[str, Path]) -> None:
    address, tried = watched
    port = urlsplit(address).port
    for name in ("127.0.0.1", "localhost"):
        with Visitor(address, host=f"{name}:{port}") as visitor:
            visitor.open()
            visitor.hear_until(lambda own: "FINISHED_SUCCESSFULLY" in own.text)
            assert "Research only" in visitor.text
    assert tried.read_text() == ""


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (None, "http://evil.example"),
        (None, "http://127.0.0.1:9999"),  # another program of this machine
        (None, "null"),  # a file, or a frame without an origin
        (None, "http://[127.0.0.1"),
        ("evil.example:{port}", "http://evil.example:{port}"),  # its name was rebound
        ("127.0.0.1.evil.example:{port}", "http://127.0.0.1.evil.example:{port}"),
    ],
)
def test_a_foreign_page_is_refused_at_once_and_nothing_is_looked_up(
    watched: tuple[str, Path], host: str | None, origin: str
) -> None:
    address, tried = watched
    port = urlsplit(address).port
    own = f"127.0.0.1:{port}" if host is None else host.format(port=port)
    origin = origin.format(port=port)
    for _ in range(10):
        with pytest.raises(InvalidStatus) as refused:
            Visitor(address, host=own, origin=origin)
        assert refused.value.response.status_code == 403
    answer, reason = request(address, "/_stcore/host-config", {"Host": own, "Origin": origin})
    assert answer.status == 403
    assert reason.startswith(b"Refused: ")
    assert b"evil" not in reason
    assert tried.read_text() == ""


def test_the_origin_must_be_the_host_behind_a_tunnel_too() -> None:
    tunnel = Headers({"host": "localhost:9000", "origin": "http://localhost:9000"})
    assert refusal(tunnel) == ""
    assert refusal(Headers({"host": "localhost:9000"})) == ""  # no browser's
    elsewhere = Headers({"host": "localhost:9000", "origin": "http://localhost:8501"})
    assert "another port" in refusal(elsewhere)


def test_no_foreign_page_may_steer_this_one(watched: tuple[str, Path]) -> None:
    answer, body = request(watched[0], "/_stcore/host-config")
    assert answer.status == 200
    assert json.loads(body)["allowedOrigins"] == []


def test_every_answer_carries_the_headers(watched: tuple[str, Path]) -> None:
    host = urlsplit(watched[0]).netloc
    for path in ("/", "/Explain", "/_stcore/health", "/media/none.png", "/component/none/x.html"):
        answer, _ = request(watched[0], path)
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Referrer-Policy") == "no-referrer"
        assert answer.getheader("Content-Security-Policy") == content_security_policy(host)
    refused, _ = request(watched[0], "/", {"Host": "evil.example"})
    assert refused.getheader("X-Content-Type-Options") == "nosniff"


def test_a_components_hashed_files_are_kept_by_the_browser_and_nothing_else_is(
    watched: tuple[str, Path],
) -> None:
    """Otherwise each drawing of the table has five megabytes compressed and sent."""
    with Visitor(watched[0]) as visitor:  # the page that has the table declares its component
        visitor.open("Explain")
        visitor.hear_until(lambda own: "FINISHED_SUCCESSFULLY" in own.text)
    folder = Path(st_aggrid.__file__).parent / "frontend" / "build"
    (script,) = (folder / "static" / "js").glob("main.*.js")
    for name in (script.relative_to(folder).as_posix(), "bootstrap.min.css", "none.0123abcd.js"):
        answer, _ = request(watched[0], f"/component/st_aggrid.AgGrid.agGrid/{name}")
        kept = "immutable" in (answer.getheader("Cache-Control") or "")
        assert kept == (name.endswith(script.name))
    assert answer.status == 404


def test_the_script_of_figures_is_the_installed_plotlys_and_is_kept_by_the_browser(
    watched: tuple[str, Path],
) -> None:
    answer, script = request(watched[0], f"/{PLOTLY_SCRIPT}")
    assert "immutable" in (answer.getheader("Cache-Control") or "")
    assert b"plotly.js v" in script[:200]


def test_under_a_base_path_figures_find_their_script_there() -> None:
    with patch_config_options({"server.baseUrlPath": "/reading/room/"}):
        assert plotly_route().path == f"/reading/room/{PLOTLY_SCRIPT}"


def test_scripts_come_from_this_server_alone_and_nobody_else_frames_it() -> None:
    rules = content_security_policy("127.0.0.1:8501").split("; ")
    (scripts,) = (rule for rule in rules if rule.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "sha256-" in scripts
    assert "frame-ancestors 'self'" in rules
    assert "evil" not in content_security_policy("a; script-src http://evil.example")


def test_an_upload_of_five_megabytes_touches_no_disk(watched: tuple[str, Path]) -> None:
    address, tried = watched
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    body = head.encode() + FIVE_MEGABYTES + f"\r\n--{BOUNDARY}--\r\n".encode()
    with Visitor(address) as visitor:
        visitor.open()
        visitor.hear_until(lambda own: bool(own.session_id))
        path, headers = visitor.upload_request(len(body))
        answer, said = request(address, path, headers, method="PUT", body=body)
    assert (answer.status, said) == (204, b"")
    assert tried.read_text() == ""


def test_loading_the_model_reaches_nothing_and_needs_no_temporary_file(
    watched: tuple[str, Path],
) -> None:
    address, tried = watched

    def is_ready() -> bool:
        with Visitor(address) as visitor:
            visitor.open()
            visitor.hear_until(lambda own: "FINISHED_SUCCESSFULLY" in own.text)
            return "accent-pill" in visitor.text and "No model" not in visitor.text

    wait_until(is_ready, "the model")
    assert tried.read_text() == ""
