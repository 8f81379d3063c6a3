"""Opening a radiograph: a sample with one click, or a file of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging import jpeg_bytes, load_radiograph
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.state.actions import open_radiograph, open_sample
from medgemma_dash.ui.state.freeing import forget_upload
from medgemma_dash.ui.state.samples import Sample, drawn_pictures, sample_named, samples
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from medgemma_dash.ui.state.samples import Sample

THUMBNAIL_PX = 360
SAMPLES_IN_A_ROW = 5
UPLOAD_TITLE = "Uploaded film"
IN_A_ROW_OF_A_POPOVER = 3
OPENER = "opener"
UPLOAD_HELP = (
    "PNG, JPEG or DICOM under any name, up to 50 MB. The file stays in this program's memory and "
    "is never written to disk. Text burned into the picture is shown as it is."
)


def opener_popover() -> None:
    """A quiet button that opens samples and files; it closes when a radiograph was opened.

    Its key changes with every radiograph, and so it is another one, which is closed.
    """
    popover = st.popover(
        "Open another",
        key=f"{OPENER}_{current_session().opened}",
        icon=":material/folder_open:",
        on_change="rerun",
        type="tertiary",
    )
    if not popover.open:
        return
    with popover:
        opener()


def opener() -> None:
    """The ways to a film on a page that shows one."""
    upload_box("another_upload", st.rerun)
    st.caption("Or a sample:")
    sample_grid(samples(), in_a_row=IN_A_ROW_OF_A_POPOVER, key="switch")
    st.caption("Or one of the Explainer tutorial's pictures, which are no radiographs:")
    sample_grid(drawn_pictures(), in_a_row=IN_A_ROW_OF_A_POPOVER, key="switch")


def sample_grid(
    offered: Sequence[Sample],
    on_open: Callable[[], None] | None = None,
    *,
    in_a_row: int = SAMPLES_IN_A_ROW,
    key: str = "open",
) -> None:
    """Thumbnails of the samples offered; a click opens one before the page is drawn.

    on_open: called in that drawing. key: begins the keys of the buttons.
    """
    with st.container(key=f"drawn_grid_{key}" if offered[0].drawn else "sample_grid"):
        for start in range(0, len(offered), in_a_row):
            columns = st.columns(in_a_row, gap="small")
            for column, sample in zip(columns, offered[start:], strict=False):
                # Two menus may offer the drawn pictures on one page.
                place = f"{key}_of_{sample.name}" if sample.drawn else f"sample_{sample.name}"
                with column, st.container(key=place, gap="xsmall"):
                    thumbnail = _thumbnail(sample.name)
                    if thumbnail is not None:
                        what = "Drawn picture" if sample.drawn else "Radiograph"
                        st.image(thumbnail, width="stretch", alt=f"{what}: {sample.title}")
                    clicked = st.button(
                        sample.title,
                        key=f"{key}_{sample.name}",
                        type="tertiary",
                        width="stretch",
                        on_click=_open,
                        args=(sample,),
                    )
                    # Where it could not be opened, a notice says so.
                    if clicked and on_open is not None and current_session().notice is None:
                        on_open()


def _open(sample: Sample) -> None:
    current_session().notice = None
    open_sample(current_session(), sample)


def upload_box(key: str, on_open: Callable[[], None]) -> None:
    """A place to drop a file; a file that cannot be read changes nothing that is open."""
    session = current_session()
    # Above the box, which may stand at the window's lower edge.
    above = st.container()
    # A new key after each file empties the box, so that the same file can be given again.
    # No list of types: it would go by the name, and DICOM files often have no extension.
    uploaded = st.file_uploader(
        "Your own radiograph (PNG, JPEG or DICOM)", key=f"{key}_{session.opened}", help=UPLOAD_HELP
    )
    if uploaded is None:
        return
    if session.read_upload == uploaded.file_id:
        with above:
            _why_not_opened()
        return
    session.notice, session.upload_problem = None, ""
    with st.spinner("Reading the radiograph"):
        opened = open_radiograph(session, uploaded.getvalue(), UPLOAD_TITLE)
        if not opened and session.notice is not None:
            # It is told beside the box, as long as the file stands in it.
            session.notice, session.upload_problem = None, session.notice.text
        # No earlier: a run that is overtaken must not leave the file for read.
        session.read_upload = uploaded.file_id
        forget_upload(uploaded.file_id)  # what was read of it is here
    if opened:
        on_open()
    st.rerun()


def _why_not_opened() -> None:
    """Say why the file in the box was not opened."""
    problem = current_session().upload_problem
    if problem:
        with st.container(key="upload_problem"):
            rich_line(
                [[Segment(problem)]], key="upload_problem_line", tone="error", announce="alert"
            )


@st.cache_data(show_spinner=False)
def _thumbnail(name: str) -> bytes | None:
    """A small JPEG; the argument is a sample's name, so nothing of a user's is cached."""
    sample = sample_named(name)
    if sample is None:
        return None
    try:
        return jpeg_bytes(load_radiograph(sample.source).pixels, longest_side=THUMBNAIL_PX)
    except ImageError:
        return None
