"""The program under test as a process of its own: started, waited for, and stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 120  # a loaded machine may need long; a healthy one never waits for it


class ServeApp(Protocol):
    """Serves a script, by a launcher of its own or by Streamlit's; more variables if given."""

    def __call__(self, script: Path, launcher: Path | None = None, **environment: str) -> str: ...


@contextmanager
def served(
    script: Path, log: Path, launcher: Path | None = None, port: int = 0, **variables: str
) -> Iterator[str]:
    """Run a Streamlit script on a free port of 127.0.0.1; yields its address.

    launcher: a program that takes Streamlit's arguments, in place of Streamlit.
    port: of a server that was there before.
    """
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "XDG_CACHE_HOME": str(log.parent / "cache"),  # what one server keeps no other finds
        **variables,
    }
    program = ["-m", "streamlit"] if launcher is None else [str(launcher)]
    command = [sys.executable, *program, "run", str(script), "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}"]
    command += ["--server.fileWatcherType=none"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_healthy(server, address, log)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            pytest.fail(f"The server ended with {server.returncode}:\n{log.read_text()[-4000:]}")
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)  # between two looks at a condition, not instead of one
    pytest.fail(f"No server within {START_SECONDS} s:\n{log.read_text()[-4000:]}")
