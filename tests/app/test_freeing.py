"""What was opened goes when the next film is opened, or when its page is closed."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import CancelledError
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.ui.state import freeing
from medgemma_dash.ui.state.actions import ask, open_radiograph
from medgemma_dash.ui.state.freeing import CLOSED_SECONDS, SWEEP_SECONDS, ClosedPages
from medgemma_dash.ui.state.host import model_host
from medgemma_dash.ui.state.session import Session
from medgemma_dash.ui.state.study import Study
from tests.app.conftest import rest
from tests.app.opened import session_of, study_of
from tests.imaging.dicom_files import sample_picture
from tests.imaging.png_files import png


def film(number: int) -> bytes:
    return png(sample_picture(64, 64, 8) ^ np.uint8(number))


def box() -> None:
    from medgemma_dash.ui.components.picker import upload_box

    upload_box("upload", lambda: None)


def test_streamlit_keeps_no_file_that_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    managers: list[MemoryUploadedFileManager] = []
    add_file = MemoryUploadedFileManager.add_file

    def added(self: MemoryUploadedFileManager, *arguments: Any, **options: Any) -> None:
        managers.append(self)
        add_file(self, *arguments, **options)

    monkeypatch.setattr(MemoryUploadedFileManager, "add_file", added)
    app = AppTest.from_function(box).run()
    for number, data in enumerate((film(0), b"no radiograph", film(1), film(1))):
        app.file_uploader[0].set_value((f"{number}.png", data, "image/png")).run()
        assert not app.exception
        assert [sum(map(len, one.file_storage.values())) for one in managers] == [0] * len(managers)
    assert len(managers) >= 4
    assert session_of(app).opened == 3


def test_an_upload_and_its_answer_go_when_the_next_is_opened(
    open_explain: Callable[[], AppTest],
) -> None:
    app = open_explain()
    held: list[weakref.ref[Any]] = []
    for number in range(3):
        open_radiograph(session_of(app), film(number), "Upload")
        ask(session_of(app), model_host(), "Is the heart enlarged?")
        rest(app.run())
        study = study_of(app)
        assert study.answered is not None
        held += [weakref.ref(study.radiograph), weakref.ref(study.answered.store)]
        del study
    open_radiograph(session_of(app), film(9), "Upload")
    rest(app.run())
    gc.collect()
    assert [one() for one in held] == [None] * len(held)


def opened() -> tuple[Session, weakref.ref[Radiograph]]:
    session = Session()
    session.open(Study(load_radiograph(film(0)), "Upload"))
    assert session.study is not None
    return session, weakref.ref(session.study.radiograph)


def test_a_closed_page_is_freed_within_a_minute_and_a_short_loss_is_bridged() -> None:
    now, connected, ended = 0.0, True, []
    pages = ClosedPages(lambda _: connected, ended.append, lambda: now)
    session, radiograph = opened()
    pages.watch("page", session)

    def pass_seconds(seconds: float) -> None:
        nonlocal now
        end = now + seconds
        while now < end:
            pages.sweep()
            now += SWEEP_SECONDS

    pass_seconds(300)
    connected = False
    pass_seconds(CLOSED_SECONDS - SWEEP_SECONDS)
    connected = True
    pass_seconds(60)
    assert radiograph() is not None
    assert ended == []
    connected = False
    pass_seconds(60)
    gc.collect()
    assert radiograph() is None
    assert ended == ["page"]
    assert session.study is None
    pass_seconds(60)
    assert ended == ["page"]


def test_a_session_that_is_gone_already_is_no_reason_to_fail() -> None:
    ended: list[str] = []
    now = 0.0
    pages = ClosedPages(lambda _: False, ended.append, lambda: now)
    pages.watch("page", Session())
    gc.collect()
    pages.sweep()
    now = CLOSED_SECONDS
    pages.sweep()
    assert ended == ["page"]


def test_a_file_whose_page_was_closed_is_not_decoded_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def is_active_session(page: str) -> bool:
        asked.append(page)
        return False

    server, context = SimpleNamespace(is_active_session=is_active_session), SimpleNamespace()
    context.session_id = "page"
    monkeypatch.setattr(freeing.runtime, "exists", lambda: True)
    monkeypatch.setattr(freeing.runtime, "get_instance", lambda: server)
    monkeypatch.setattr(freeing, "get_script_run_ctx", lambda: context)
    check = freeing.page_check()
    assert check is not None
    with pytest.raises(CancelledError, match="page that asked for it was closed"):
        check()
    assert asked == ["page"]


def test_each_page_opens_its_files_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def load(_: bytes, **options: Any) -> Radiograph:
        asked.update(options)
        raise CancelledError("This was stopped because the page was closed.")

    monkeypatch.setattr("medgemma_dash.ui.state.actions.load_radiograph", load)
    session = Session()
    assert not open_radiograph(session, film(0), "Upload")
    assert asked["owner"] == session.owner
    assert session.study is None
    assert session.notice is not None
    assert "closed" in session.notice.text
