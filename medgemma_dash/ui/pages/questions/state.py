"""What the Question Sets page keeps for itself, and what all its sessions share."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, ClassVar

import streamlit as st

from medgemma_dash.core.errors import MedGemmaDashError, ResultFileError
from medgemma_dash.core.record_reading import read_record
from medgemma_dash.services.questions.kept_runs import (
    KeptRun,
    kept_run,
    kept_runs,
    runs_folder,
)
from medgemma_dash.services.questions.under_way import RunsUnderWay
from medgemma_dash.ui.state.session import LivesWith, page_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from medgemma_dash.core.record import Record
    from medgemma_dash.services.questions.given import GivenSet

BODY = "questions_body"  # the fragment that shows a set, a run under way, or its record
# Widgets that keep their value for the session (persist_state="session").
MAPS = "questions_maps"
PART = "questions_part"
MEASURE = "questions_measure"


@dataclass(frozen=True)
class Behind:
    """Rows behind a cell or a bar. label: what they are, as a sentence names them."""

    label: str
    rows: tuple[int, ...]


@dataclass(eq=False)
class QuestionsState:
    """given: the set that is open. opened: counts them, and keeps their widgets apart.

    run: the name of the run that is shown, under way or finished; "" without one. record: of that
    run, once it has finished. browsing: the table is shown in place of the record.
    behind: what the rows below are of; None for all. chosen_in: the widget in which that was
    chosen; turns: how often a widget was made anew. to_open: the row that was clicked; looked_at:
    the one whose map is shown, for its film is not at hand.
    problem: why the last action failed. deleting: the run whose deletion waits for a second click.
    """

    lives_with: ClassVar[LivesWith] = "session"
    given: GivenSet | None = None
    opened: int = 0
    run: str = ""
    record: Record | None = None
    browsing: bool = False
    behind: Behind | None = None
    chosen_in: str = ""
    turns: dict[str, int] = field(default_factory=dict)
    to_open: int | None = None
    looked_at: int | None = None
    problem: str = ""
    deleting: str = ""

    def open(self, given: GivenSet, run: str = "") -> None:
        """Show a set, and a run of it: the one that is named, else the newest there is."""
        self.given = given
        self.opened += 1
        self.problem = self.deleting = ""
        self.show_run(run or _newest_run(given))

    def show_run(self, run: str) -> None:
        """Show a run of the open set; "" for its table alone."""
        self.run, self.record, self.behind, self.browsing = run, None, None, False
        self.to_open = self.looked_at = None
        self.chosen_in = ""


def take_record() -> None:
    """Have the record of the run that is shown, once it has finished."""
    state = page_state(QuestionsState)
    if state.record is not None or not state.run:
        return
    run = runs_under_way().get(state.run)
    if run is not None and run.job.result is not None:
        state.record = run.job.result
    elif run is None:
        kept = kept_run(runs_folder() / state.run)
        if kept is None or not kept.finished:
            state.run = ""
            return
        try:
            state.record = read_record(kept.record)
        except ResultFileError as error:
            state.problem, state.run = str(error), ""


def try_to(what: Callable[[], None]) -> None:
    """Do something that may fail; the page says why it did."""
    state = page_state(QuestionsState)
    state.problem = ""
    try:
        what()
    except MedGemmaDashError as error:
        state.problem = str(error)


@st.cache_resource(show_spinner=False)
def runs_under_way() -> RunsUnderWay:
    """Those of every session: a run goes on when its page is closed, and is found again."""
    return RunsUnderWay()


def visible_runs(given: GivenSet | None) -> list[KeptRun]:
    """The kept runs that may be shown, the newest first.

    A server that other machines reach shows a run to whoever gives its table and images, and to
    nobody else: its rows may be a patient's.
    """
    runs = kept_runs(runs_folder())
    if local_server():
        return runs
    return [run for run in runs if given is not None and run.about.input == given.key]


def local_server() -> bool:
    """Whether this machine alone reaches the server, so that a path typed here is its user's."""
    address = str(st.get_option("server.address") or "")
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _newest_run(given: GivenSet) -> str:
    """One that is under way, else one that has finished."""
    own = [run for run in kept_runs(runs_folder()) if run.about.input == given.key]
    active = {run.name for run in runs_under_way().active()}
    order = sorted(own, key=lambda run: (run.name not in active, not run.finished))
    first = next(iter(order), None)
    return first.name if first and (first.name in active or first.finished) else ""
