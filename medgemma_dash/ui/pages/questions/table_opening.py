"""Opening a table: a file, and where its images are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.errors import TableError
from medgemma_dash.services.questions.given import example_set, folder_set, uploaded_set
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.pages.questions.state import QuestionsState, local_server, try_to
from medgemma_dash.ui.state.freeing import forget_upload
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

TABLE_HELP = (
    "CSV with commas, semicolons or tabs, in UTF-8, UTF-16 or as Excel writes it in the West, or "
    "Parquet; up to 50 MB. A column `question`, and `image_path`, `dicom_id`, or `study_id` with "
    "`subject_id`; for scores `correct_answer` too. `finding`, `strategy`, `baseline_question` and "
    "`withheld` make the parts of the scores."
)
FOLDER_HELP = (
    "The whole path of a folder on this machine, as your file manager shows it. Files that the "
    "table names are opened there, below the folder and nowhere else, and only as radiographs; "
    "MIMIC-CXR-JPG's layout is found from the ids. The path stays on this machine."
)
UPLOAD_HELP = (
    "Others reach this server, so that it opens no path of its own disk for whoever types one. "
    "PNG, JPEG or DICOM, found by their names. They stay in memory: give them again after a "
    "restart, and a run goes on."
)


def table_opener() -> None:
    """Draw the ways to another set; what cannot be opened changes nothing that is open."""
    state = page_state(QuestionsState)
    table = st.file_uploader(
        "Table of questions", key=f"questions_table_{state.opened}", help=TABLE_HELP
    )
    folder, films = "", []
    if local_server():
        folder = st.text_input(
            "Folder of its images",
            key=f"questions_folder_{state.opened}",
            placeholder="/home/me/mimic-cxr-jpg/2.0.0",
            help=FOLDER_HELP,
        )
    else:
        films = st.file_uploader(
            "Its images",
            key=f"questions_films_{state.opened}",
            accept_multiple_files=True,
            help=UPLOAD_HELP,
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Open", key="questions_open", type="primary"):
            with st.spinner("Reading the table and looking for its images"):
                try_to(lambda: _open(table, folder.strip(), films))
            if not state.problem:
                st.rerun()
        if st.button("Example set", key="questions_example", help="120 questions, synthetic films"):
            try_to(lambda: state.open(example_set()))
            st.rerun()
    if state.problem:
        rich_line(
            [[Segment(state.problem)]], key="questions_unopened", tone="error", announce="alert"
        )


def _open(table: UploadedFile | None, folder: str, films: list[UploadedFile]) -> None:
    if table is None:
        raise TableError("Choose the table's file first.")
    if not (folder or films):
        raise TableError(
            "Type the folder that its images lie in."
            if local_server()
            else "Choose the files of its images too."
        )
    data = table.getvalue()
    if local_server():
        given = folder_set(data, folder)
    else:
        given = uploaded_set(data, {film.name: film.getvalue() for film in films})
    page_state(QuestionsState).open(given)
    for file in (table, *films):
        forget_upload(file.file_id)  # what was read of it is here
