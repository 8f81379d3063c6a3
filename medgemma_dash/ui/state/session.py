"""Session state: one typed object for each browser session, and the keys of its widgets.

Nothing else in the program reads or writes `st.session_state` under these names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import streamlit as st

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Radiograph, Window
from medgemma_dash.core.target import Against, Target

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from medgemma_dash.metrics.faithfulness import FaithfulnessTable
    from medgemma_dash.regions import ZoneMap
    from medgemma_dash.services.explaining.store import RelevanceStore
    from medgemma_dash.services.layers.view import LayerView
    from medgemma_dash.services.runtime.job import Job
    from medgemma_dash.ui.pages.compare.state import Comparison, Pin

SESSION = "medgemma_dash_session"

# Widgets whose keys browser tests and user styles rely on.
QUESTION = "question"
ASK = "ask"
OVERLAY = "overlay"
LAYERS = "layers"
ZONES = "zones"

# Widgets that keep their value for the session (persist_state="session").
METHOD = "method"
OPACITY = "map_opacity"
THRESHOLD = "map_threshold"
MODE = "map_mode"
COLOUR_SCALE = "map_colours"
ZONE_SCHEME = "zone_scheme"
PHRASE = "phrase"
COMPARED = "compared_methods"
COMPARED_SCALE = "compared_scale"
COMPARED_PER_ROW = "compared_per_row"
HEAD_MEASURE = "head_measure"
HEAD_LAYER = "head_layer"
ATTENTION_LAYER = "attention_layer"
GATHERED_LAYER = "gathered_layer"

Settings = tuple[tuple[str, str], ...]
Tone = Literal["note", "caution", "error"]


@dataclass(frozen=True)
class Notice:
    """A sentence for the user that stays until the next action."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class Pending:
    """An explanation that is being computed, and for what."""

    job: Job[Explanation]
    answer_key: str
    target: Target
    method: str
    settings: Settings


@dataclass(frozen=True)
class Filling:
    """The explanation of every word, under way in the background, and by what."""

    job: Job[None]
    method: str
    settings: Settings


@dataclass(eq=False)
class Study:
    """One opened radiograph, with what was asked and chosen about it.

    title: what the user sees as its name; a file's own name is never shown.
    sample: the sample's name in the URL, None for an upload.
    opening_question, opening_word: asked and selected when nothing was asked yet.
    problem: why there is no explanation for the target, "" when there is one.
    shown: method and settings that made `explanation`; None when there is none.
    wanted: method and settings of what was asked for last.
    refused: what was wanted and failed; the picker goes back from it to what is shown.
    stores: what is known about the answers given last, by their keys, the newest at the end.
    seconds: how long the explanation took; None when it was known already.
    cell: the clicked cell (row, column) of the map; cells: those chosen on the Layers page.
    body: the body mask in pixels, once it was asked for.
    view, attention: layers and heads of the chosen word, and of the token last looked at.
    without_map: for an answer's key and a target, why methods have no map of it.
    revision: counts the answers; a click that was made on an older one is dropped.
    number: counts the session's studies, and keeps their widgets apart.
    """

    radiograph: Radiograph
    title: str
    sample: str | None = None
    opening_question: str = ""
    opening_word: str = ""
    answer: Answer | None = None
    store: RelevanceStore | None = None
    view: LayerView | None = None
    target: Target | None = None
    explanation: Explanation | None = None
    problem: str = ""
    shown: tuple[str, Settings] | None = None
    wanted: tuple[str, Settings] | None = None
    refused: tuple[str, Settings] | None = None
    seconds: float | None = None
    cell: tuple[int, int] | None = None
    cells: tuple[tuple[int, int], ...] = ()
    body: npt.NDArray[np.bool_] | None = None
    attention: tuple[tuple[str, int], npt.NDArray[np.float32]] | None = None
    pictures: dict[tuple[Window, int], bytes] = field(default_factory=dict)
    zones: dict[tuple[str, tuple[int, int]], ZoneMap] = field(default_factory=dict)
    without_map: dict[tuple[str, Target], dict[tuple[str, Settings], str]] = field(
        default_factory=dict
    )
    stores: dict[str, RelevanceStore] = field(default_factory=dict)
    revision: int = 0
    number: int = 0

    @property
    def generation(self) -> str:
        """The answer on screen; a click that carries another one is dropped."""
        return f"{self.number}-{self.revision}"


@dataclass(eq=False)
class Session:
    """What one browser session has open.

    owner: a random name under which its jobs run; it says nothing about the user.
    looking_at: answer, tokens and contrast whose layers `looking` computes or failed to.
    attending: answer and position whose attention is read, and the job that does it.
    underline: what the underlines of an answer's words show.
    """

    owner: str = field(default_factory=lambda: uuid4().hex)
    study: Study | None = None
    asking: Job[Answer] | None = None
    asked_study: Study | None = None
    explaining: Pending | None = None
    filling: Filling | None = None
    comparison: Comparison | None = None
    looking: Job[LayerView] | None = None
    looking_at: tuple[str, tuple[int, ...], Against | None] | None = None
    attending: tuple[tuple[str, int], Job[npt.NDArray[np.float32]]] | None = None
    testing: Job[FaithfulnessTable] | None = None
    timing: Job[None] | None = None
    pins: list[Pin] = field(default_factory=list)
    notice: Notice | None = None
    underline: Measure = "image share"
    question: str = ""
    opened: int = 0
    read_upload: str = ""
    url_read: bool = False

    def jobs(self) -> tuple[Job[Any], ...]:
        """Every job that this session waits for."""
        explaining = self.explaining.job if self.explaining else None
        filling = self.filling.job if self.filling else None
        comparing = self.comparison.job if self.comparison else None
        attending = self.attending[1] if self.attending else None
        deeper = (comparing, self.looking, attending, self.testing, self.timing)
        jobs = (self.asking, explaining, filling, *deeper)
        return tuple(job for job in jobs if job is not None and not job.finished)


def current_session() -> Session:
    """The session's state, made on first use."""
    if SESSION not in st.session_state:
        st.session_state[SESSION] = Session()
    session: Session = st.session_state[SESSION]
    return session


def widget_value(key: str, default: Any) -> Any:
    """What the widget with this key holds, or the default before it was drawn."""
    return st.session_state.get(key, default)


def give_widget(key: str, value: Any) -> None:
    """Give a widget its value before it is drawn, unless it has it already.

    A value that is set takes back what the reader chooses while the script runs.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


Measure = Literal["image share", "probability"]
