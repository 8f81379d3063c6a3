"""Letting go of what Streamlit would hold: files that were read, and closed pages' sessions.

Streamlit keeps an uploaded file as long as its page, and a page that was closed for two minutes
at least, or until another one is closed. Its session holds a radiograph and all that is known
about it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import ref

import streamlit as st
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medgemma_dash.core.errors import CancelledError
from medgemma_dash.services.runtime.queue import ABANDONED

if TYPE_CHECKING:
    from medgemma_dash.core.progress import Check
    from medgemma_dash.ui.state.session import Session

# A short loss of the connection is bridged; together they stay within a minute.
CLOSED_SECONDS = 45.0
SWEEP_SECONDS = 5.0


def forget_upload(file_id: str) -> None:
    """Have Streamlit drop a file of this page that was read."""
    context = get_script_run_ctx()
    if context is None:
        return
    if isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def page_check() -> Check | None:
    """A check, for any thread, that raises CancelledError once this page was closed."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return None
    server, page = runtime.get_instance(), context.session_id

    def check() -> None:
        if not server.is_active_session(page):
            raise CancelledError(ABANDONED)

    return check


def free_when_closed(session: Session) -> None:
    """Let go of what this session holds when its page has been closed for a while."""
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        _closed_pages().watch(context.session_id, session)


@dataclass
class _Page:
    session: ref[Session]
    closed_at: float | None = None


@dataclass(eq=False)
class ClosedPages:
    """Which pages are closed, and since when.

    is_open: whether the page with this name has a connection.
    close: ends the page's session for good.
    clock: seconds that never go back.
    """

    is_open: Callable[[str], bool]
    close: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _pages: dict[str, _Page] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, page: str, session: Session) -> None:
        """Have the page's session freed when it is closed."""
        with self._lock:
            self._pages[page] = _Page(ref(session))

    def sweep(self) -> None:
        """Free the sessions of the pages that have been closed for long enough."""
        with self._lock:
            pages = list(self._pages.items())
        for name, page in pages:
            if self.is_open(name):
                page.closed_at = None
            elif page.closed_at is None:
                page.closed_at = self.clock()
            elif self.clock() - page.closed_at >= CLOSED_SECONDS:
                with self._lock:
                    del self._pages[name]
                self.close(name)
                session = page.session()
                if session is not None:
                    session.forget()

    def sweep_forever(self) -> None:
        """Sweep every few seconds."""
        while True:
            time.sleep(SWEEP_SECONDS)
            self.sweep()


@st.cache_resource(show_spinner=False)
def _closed_pages() -> ClosedPages:
    server = runtime.get_instance()
    # Of all that Streamlit lets any thread call, this alone ends a session without a connection.
    closed = ClosedPages(server.is_active_session, server.clear_user_info_for_session)
    threading.Thread(target=closed.sweep_forever, name="closed pages", daemon=True).start()
    return closed
