"""A small control beside every chart that saves it as PNG or SVG, with a caption for a paper.

The browser makes the file from what Plotly has drawn. The caption travels with the figure, in
Plotly's `layout.meta`; one invisible component on the page adds the control to each chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE, notices
from medgemma_dash.services.exporting.names import DIGEST_CHARACTERS
from medgemma_dash.services.exporting.subject import film_name, subject
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record

_mount = st.components.v2.component(
    "medgemma_dash_figure_files",
    css=files(__name__).joinpath("figure_files.css").read_text("utf-8"),
    js=files(__name__).joinpath("figure_files.js").read_text("utf-8"),
    isolate_styles=False,
)


def figure_files() -> None:
    """Give every chart on the page its control; called once, by the entry script."""
    _mount(key="figure_files")


def caption(
    alt: str, key: str, about: Sequence[tuple[str, str]] = (), record: Record | None = None
) -> dict[str, Any]:
    """For `layout.meta`: the file's name and the lines of text below the figure.

    alt: what the figure shows, in words. Lines are plain text and stay so.
    about: what the figure is of, as `exporting.subject` pairs it, where that is not what the
        Explain page shows.
    record: which it is of, where it was opened from a file.
    """
    if record is not None:
        return _of_record(alt, key, record)
    session = current_session()
    study = session.study
    told = [f"{name}: {value}" for name, value in about]
    if study is None:
        return {"file": key, "caption": [alt, *told, RESEARCH_NOTICE]}
    lines, said = [alt], notices(False)
    film = film_name(study.radiograph, study.sample is None)
    answered = study.answered
    if answered is not None and about:
        lines += told
        said = notices(answered.answer.is_demo)
    elif answered is None:
        lines += told or [f"Film: {film}"]
    elif answered.shown is None:
        lines += [f"Film: {film}", f"Question: {answered.answer.prompt}"]
        said = notices(answered.answer.is_demo)
    else:
        # Not every figure is of the method: some are of attention.
        lines += [
            f"{'Chosen method' if name == 'Method' else name}: {value}"
            for name, value in subject(answered.shown.explanation, (film,))
        ]
        said = notices(answered.answer.is_demo)
    digest = study.radiograph.sha256[:DIGEST_CHARACTERS]
    return {"file": f"{digest}-{key.replace('_', '-')}", "caption": [*lines, *said]}


def _of_record(alt: str, key: str, record: Record) -> dict[str, Any]:
    """Of a record's own film and model, whatever is open besides."""
    facts, name = record.provenance, key.replace("_", "-")
    films = [f"sha256 {digest[:DIGEST_CHARACTERS]}…" for digest in facts.images[:1]]
    lines = [
        *(f"Film: {film}" for film in films),
        f"Model: {facts.model_name}, revision {facts.model_revision}",
    ]
    return {"file": f"{record.kind}-{name}", "caption": [alt, *lines, *notices(facts.is_demo)]}
