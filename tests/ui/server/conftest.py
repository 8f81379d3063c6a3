"""Real servers in processes of their own, as the command line starts them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from medgemma_dash.cli.dashboard import server_command
from medgemma_dash.core.resources import resource
from tests.ui.server.visitor import PATIENCE_SECONDS, request

WATCHED = Path(__file__).parent / "watched"


@dataclass(frozen=True)
class Server:
    """A server that answers at this address."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def started(
    folder: Path, script: Path, *path: Path, plain: bool = False, **variables: str
) -> Iterator[Server]:
    """A server of a script. path: more folders for its PYTHONPATH. plain: by `streamlit run`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = server_command(port)
    place = command.index("run")
    command[place + 1] = str(script)
    if plain:
        command[1:place] = ["-m", "streamlit"]
    environment = os.environ | variables
    # A model's files are not looked up either, without being told so.
    del environment["HF_HUB_OFFLINE"], environment["TRANSFORMERS_OFFLINE"]
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (*path, resource())))
    log, address = folder / "log.txt", f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=resource(), env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_until(lambda: _is_healthy(process, address, log), "a server")
            yield Server(address, process, log)
        finally:
            process.kill()
            process.wait()


def _is_healthy(process: subprocess.Popen[bytes], address: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return request(address, "/_stcore/health")[0].status == 200
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"In vain: {what}"
        time.sleep(0.02)  # between two looks at a condition, not instead of one


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The whole program's address, and the file where what it must not do is noted."""
    folder = tmp_path_factory.mktemp("watched")
    tried = folder / "tried.txt"
    tried.touch()
    with started(folder, resource("Home.py"), WATCHED, TRIED=str(tried)) as server:
        yield server.address, tried
