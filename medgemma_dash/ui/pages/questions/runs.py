"""The runs that are kept: looked at, gone on with, ended, deleted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from medgemma_dash.core.counted import counted
from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.services.questions.beginning import begin
from medgemma_dash.services.questions.given import set_of_run
from medgemma_dash.services.questions.kept_runs import (
    KeptRun,
    delete_run,
    kept_run,
    runs_folder,
)
from medgemma_dash.services.questions.question_set import PlanOptions
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.pages.questions.state import (
    QuestionsState,
    local_server,
    runs_under_way,
    try_to,
    visible_runs,
)
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.components.rich_line import Line

MOST_LISTED = 30
DELETE_SECONDS = 30.0  # a row that is being asked ends at its next layer or token
GIVE_AGAIN = (
    "This run's images were uploaded, and uploads are not kept. Give its table and the same images "
    "again: what is done is found, and the run goes on."
)


def run_list(host: ModelHost) -> None:
    """A line for each run, with what can be done about it, and where they lie."""
    state = page_state(QuestionsState)
    runs = visible_runs(state.given)
    for run in runs[:MOST_LISTED]:
        rich_line([_line(run)], key=f"run_{run.name}", on_choose=partial(_choose, host, run.name))
    if not runs:
        rich_line([[Segment("No run is kept yet.", "quiet")]], key="no_runs")
    where = (
        f"{runs_folder()}: a folder for each run, with its table, every answer as it comes, and "
        "the record. They stay until they are deleted here."
        if local_server()
        else "Runs are kept on the server until they are deleted here. Others reach this server, "
        "so that a run is listed for whoever gives its table and images, and for nobody else."
    )
    rich_line([[Segment(f"Kept in {where}" if local_server() else where, "small")]],
              key="runs_place")  # fmt: skip


def _line(run: KeptRun) -> Line:
    about, state = run.about, page_state(QuestionsState)
    active = runs_under_way().get(run.name)
    at_work = active is not None and not active.job.finished
    rows = counted(about.rows, "selected row" if about.selected else "row")
    maps = ", with maps" if about.maps else ""
    done = run.done if active is None or not at_work else len(active.outcomes)
    stands = "finished" if run.finished else f"{done:,} of {about.to_ask:,} done"
    model = "demo model" if about.is_demo else about.model
    line = [
        Segment(about.title, "word"),
        Segment(f" · {rows}{maps} · {model} · {about.began[:16].replace('T', ' ')} · {stands}  "),
    ]
    if state.deleting == run.name:
        return [
            *line,
            Segment("delete all of it", "action", "delete"),
            Segment("  "),
            Segment("keep it", "action", "keep"),
        ]
    if at_work:
        line += [Segment("show", "action", "show"), Segment("  ")]
        return [*line, Segment("cancel", "action", "cancel")]
    name = "show" if run.finished else "go on"
    line += [Segment(name, "action", "show" if run.finished else "on"), Segment("  ")]
    return [*line, Segment("delete", "action", "ask")]


def _choose(host: ModelHost, name: str) -> None:
    state = page_state(QuestionsState)
    action = chosen_action(f"run_{name}")
    state.deleting = name if action == "ask" else ""
    active = runs_under_way().get(name)
    if action == "show":
        try_to(lambda: _show(name))
    elif action == "on":
        try_to(lambda: go_on(host, name))
    elif action == "cancel" and active is not None:
        active.job.cancel()
    elif action == "delete":
        try_to(lambda: _delete(name))


def _show(name: str) -> None:
    """Its record, and its set where that is at hand."""
    state, run = page_state(QuestionsState), kept_run(runs_folder() / name)
    if run is None:
        raise ResultFileError("The run is there no more.")
    if state.given is not None and state.given.key == run.about.input:
        state.show_run(name)
        return
    given = set_of_run(run)
    if given is None:
        raise ResultFileError(GIVE_AGAIN)
    state.open(given, name)


def go_on(host: ModelHost, name: str) -> None:
    """Go on with a run where it was ended; what is done is not done again."""
    state, run = page_state(QuestionsState), kept_run(runs_folder() / name)
    if run is None:
        raise ResultFileError("The run is there no more.")
    given = state.given
    if given is None or given.key != run.about.input:
        given = set_of_run(run)
    if given is None:
        raise ResultFileError(GIVE_AGAIN)
    options = PlanOptions(maps=run.about.maps, selected=run.about.selected)
    begun = begin(host, runs_under_way(), runs_folder(), given, options)
    if given is state.given:
        state.show_run(begun.name)
    else:
        state.open(given, begun.name)


def _delete(name: str) -> None:
    state = page_state(QuestionsState)
    active = runs_under_way().get(name)
    runs_under_way().drop(name)
    if active is not None:
        active.job.wait(DELETE_SECONDS)
    delete_run(runs_folder(), name)
    if state.run == name:
        state.show_run("")
