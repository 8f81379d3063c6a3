"""A file is known by its bytes: it may have any name, and none is believed."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.state.session import SESSION, Session
from tests.app.browser_events import lines_of
from tests.imaging.dicom_files import native, sample_picture

DICOM = native(sample_picture(40, 48, 12), bits=12)


def page() -> None:
    from medgemma_dash.ui.components.picker import upload_box

    upload_box("box", lambda: None)


def give(name: str, content: bytes) -> tuple[AppTest, Session]:
    app = AppTest.from_function(page, default_timeout=30).run()
    app.file_uploader[0].upload(name, content, "application/octet-stream").run()
    assert not app.exception
    session: Session = app.session_state[SESSION]
    return app, session


@pytest.mark.parametrize("name", ["IM000001", "1.2.840.113619.2.5", "film.jpeg", "film.exe"])
def test_a_dicom_file_opens_under_any_name(name: str) -> None:
    app, session = give(name, DICOM)
    assert session.study is not None
    assert session.notice is None
    assert lines_of(app, "upload_problem_line") == []
    assert name not in session.study.title


@pytest.mark.parametrize("name", ["IM000001", "film.png", "film.dcm"])
def test_what_is_no_radiograph_is_refused_with_the_reason_and_the_formats(name: str) -> None:
    app, session = give(name, b"PK\3\4" + bytes(400))
    assert session.study is None
    # Beside the box, and nowhere else; as long as the file stands in it.
    (told,) = lines_of(app, "upload_problem_line")
    assert session.notice is None
    assert "not opened" in told
    assert "a ZIP archive" in told
    assert "PNG, JPEG and DICOM are read" in told
    assert name not in told
    app.file_uploader[0].set_value(None).run()
    assert lines_of(app, "upload_problem_line") == []


def test_the_box_names_the_formats_that_are_read() -> None:
    box = AppTest.from_function(page, default_timeout=30).run().file_uploader[0]
    assert "PNG, JPEG or DICOM" in box.label
    assert "50 MB" in box.help
    assert not box.proto.type
