"""Session state: one typed object for each browser session, and the keys of shared widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar
from uuid import uuid4

import streamlit as st

from medgemma_dash.ui.state.freeing import free_when_closed
from medgemma_dash.ui.state.jobs import Jobs
from medgemma_dash.ui.state.study import Answered, Study

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

NoticeTone = Literal["note", "caution", "error"]
Underline = Literal["image share", "probability", "image effect"]
LivesWith = Literal["session", "study", "answer"]

CHANGED_MEANWHILE = (
    "The program was changed while this page was open. What was open belonged to its earlier "
    "version and was closed; open it again."
)


@dataclass(frozen=True)
class Notice:
    """A sentence for the user that stays until the next action."""

    tone: NoticeTone
    text: str


class PageState(Protocol):
    """What a page keeps for itself: a class that can be made without arguments.

    lives_with: when the session has another one of these, the page begins with a new state.
    """

    lives_with: ClassVar[LivesWith]


P = TypeVar("P", bound=PageState)


@dataclass(eq=False)
class Session:
    """What one browser session has open: that which all pages share.

    owner: a random name under which its jobs run; it says nothing about the user.
    underline: what the underlines of an answer's words show.
    read_upload: the file that was read last. upload_problem: why it was not opened, "" if it was.
    missing: the film that the URL names and that is not there, as it stands in the URL.
    aside: the upload that was open last, until another one is: the reader may go back to it.
    address: what the URL says now. turn: counts how often it was written.
    reached: the address that the reader went back or forward to last, once it was honoured.
    unread: why the URL is still to be honoured: the session is "new", or the reader went back or
        forward and is there "again".
    came_from: the session that the page had before it lost the program.
    """

    owner: str = field(default_factory=lambda: uuid4().hex)
    study: Study | None = None
    missing: str = ""
    aside: Study | None = None
    notice: Notice | None = None
    underline: Underline = "image share"
    question: str = ""
    opened: int = 0
    read_upload: str = ""
    reached: str | None = None
    upload_problem: str = ""
    unread: Literal["new", "again", ""] = "new"
    came_from: str = ""
    method_checked: bool = False
    address: dict[str, str] = field(default_factory=dict)
    turn: int = 0
    jobs: Jobs = field(init=False)
    _pages: dict[str, tuple[str, PageState]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.owner)

    @property
    def answered(self) -> Answered | None:
        """The answer on screen, with what is known and chosen about it."""
        return None if self.study is None else self.study.answered

    def open(self, study: Study) -> None:
        """Show another radiograph; nothing of the one before is waited for any more."""
        self.close()
        self.opened += 1
        study.number = self.opened
        self.study = study
        if study.marker:
            self.aside = None

    def close(self, missing: str = "") -> None:
        """Show no radiograph. missing: the one that was to be shown and is not there."""
        self.jobs.drop_all()
        if self.study is not None and self.study.marker:
            self.aside = self.study
        self.study, self.missing = None, missing

    def tell(self, problem: str) -> None:
        """Say what is wrong, beside what else is."""
        earlier = self.notice.text if self.notice and self.notice.tone == "error" else ""
        if problem not in earlier:
            self.notice = Notice("error", f"{earlier} {problem}".strip())

    def forget(self) -> None:
        """Hold nothing any more: the page was closed."""
        self.jobs.drop_all()
        vars(self).update(vars(Session(self.owner)))

    def page_state(self, kind: type[P]) -> P:
        """A page's own state, made on first use, and anew when what it lives with has gone."""
        name = f"{kind.__module__}.{kind.__qualname__}"
        life = self._life(kind)
        held_life, held = self._pages.get(name, ("", None))
        if type(held) is kind and held_life == life:
            return held
        if held is not None and type(held) is not kind:
            self.notice = Notice("note", CHANGED_MEANWHILE)
        self._pages = {
            other: (began, state)
            for other, (began, state) in self._pages.items()
            if began == self._life(type(state))
        }
        made = kind()
        self._pages[name] = life, made
        return made

    def _life(self, kind: type[PageState]) -> str:
        """A name for that which states of this kind live with."""
        if kind.lives_with == "session" or self.study is None:
            return ""
        return str(self.study.number) if kind.lives_with == "study" else self.study.generation


def current_session() -> Session:
    """The session's state, made on first use.

    Code that was changed while the program runs brings a new class: what an object of the old
    one holds cannot be relied on, so it is let go, and the reader is told. Its jobs end as those
    of a closed page do.
    """
    held = st.session_state.get(SESSION)
    if type(held) is not Session:
        told = None if held is None else Notice("note", CHANGED_MEANWHILE)
        held = st.session_state[SESSION] = Session(notice=told)
        free_when_closed(held)
    return held


def page_state(kind: type[P]) -> P:
    """The current session's state of a page."""
    return current_session().page_state(kind)


def widget_value(key: str, default: Any) -> Any:
    """What the widget with this key holds, or the default before it was drawn."""
    return st.session_state.get(key, default)


def give_widget(key: str, value: Any) -> None:
    """Give a widget its value before it is drawn, unless it has it already.

    A value that is set takes back what the reader chooses while the script runs. The widget has
    to keep its value for the session: of another one the browser is told in this run alone, and
    stays without where a newer run overtakes it.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
