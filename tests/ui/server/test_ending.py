"""A signal ends the server cleanly within seconds, also when a thread computes inside torch."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from medgemma_dash.ui.server.lifespan import ENDING_SECONDS
from tests.ui.server.conftest import started, wait_until
from tests.ui.server.visitor import PATIENCE_SECONDS, Visitor, request

COMPUTING = Path(__file__).parent / "apps" / "computing.py"


# The status of Streamlit's own command line after Ctrl-C: the event loop turns the signal into a
# cancellation, which either is told of (1) or comes when everything has ended already (0).
ENDED_BY_STREAMLIT = {0, 1}


@pytest.mark.parametrize(
    ("plain", "number", "checks"),
    [
        (False, signal.SIGTERM, "yes"),
        (False, signal.SIGINT, "no"),
        (True, signal.SIGINT, "yes"),
        (True, signal.SIGTERM, "no"),
    ],
)
def test_a_signal_in_the_middle_of_a_computation_ends_the_server(
    tmp_path: Path, plain: bool, number: signal.Signals, checks: str
) -> None:
    """Over 5 s: the server imports torch, and work that never asks is left after a deadline."""
    computes = tmp_path / "computing"
    variables = {"COMPUTING": str(computes), "CHECKS": checks}
    with started(tmp_path, COMPUTING, plain=plain, **variables) as server:
        with Visitor(server.address) as visitor:
            visitor.open()
            wait_until(computes.exists, "a computation")
            server.process.send_signal(number)
            began = time.monotonic()
            status = server.process.wait(PATIENCE_SECONDS)
            took = time.monotonic() - began
        log = server.log.read_text()
    customary = {-number, 128 + number}
    if plain and number == signal.SIGINT:
        customary |= ENDED_BY_STREAMLIT
    assert status in customary, log
    assert took < ENDING_SECONDS + 10, "and no request is waited for"
    assert "Traceback" not in log


def test_a_half_sent_upload_does_not_keep_the_server(tmp_path: Path) -> None:
    variables = {"COMPUTING": str(tmp_path / "computing"), "CHECKS": "yes"}
    with started(tmp_path, COMPUTING, **variables) as server, Visitor(server.address) as visitor:
        visitor.open()
        visitor.hear_until(lambda own: bool(own.session_id))
        path, headers = visitor.upload_request(1000)
        place = urlsplit(server.address)
        lines = [f"PUT {path} HTTP/1.1", f"Host: {place.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        with socket.create_connection((place.hostname, place.port)) as slow:
            slow.sendall("\r\n".join([*lines, "", "half"]).encode())
            request(server.address, "/_stcore/health")  # by now the upload has been begun
            server.process.terminate()
            status = server.process.wait(PATIENCE_SECONDS)
    assert status in (-signal.SIGTERM, 128 + signal.SIGTERM)
