"""The server's life: uploads stay in memory, and a signal ends it whatever is being computed."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from starlette.formparsers import MultiPartParser
from streamlit import config

from medgemma_dash.services.runtime.engine import close_engines
from medgemma_dash.services.runtime.waiting import wait_briefly

if TYPE_CHECKING:
    from streamlit import App

# A container is killed ten seconds after it was told to end.
ENDING_SECONDS = 5.0
MEBIBYTE = 1 << 20


@asynccontextmanager
async def lifespan(_app: App) -> AsyncIterator[None]:
    """Around everything that the server does."""
    wait_briefly()
    _keep_uploads_in_memory()
    _end_in_time()
    try:
        yield
    finally:
        # A thread that comes back from torch into an interpreter that is gone aborts the process.
        await asyncio.to_thread(close_engines)


def _keep_uploads_in_memory() -> None:
    """The web server would write what is larger than 1 MB to a temporary file."""
    # Streamlit reads no more than this of a request: the file, and a megabyte around it.
    MultiPartParser.spool_max_size = (config.get_option("server.maxUploadSize") + 1) * MEBIBYTE


def _end_in_time() -> None:
    """After a signal, leave what cannot be ended in time: a long step, a half-sent request."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, partial(_ending, loop, signal.getsignal(number)))


def _ending(
    loop: asyncio.AbstractEventLoop, before: Any, number: int, frame: FrameType | None
) -> None:
    leave = threading.Timer(ENDING_SECONDS, os._exit, (128 + number,))
    leave.daemon = True
    # Not here: the signal may have come while this thread was starting another one.
    loop.call_soon_threadsafe(leave.start)
    before(number, frame)
