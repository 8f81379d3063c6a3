"""Beginning a run, or going on with one, where it is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from medgemma_dash.core.errors import ModelError
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.services.questions.given import GivenSet
from medgemma_dash.services.questions.kept_runs import AboutRun, begin_run, run_name
from medgemma_dash.services.questions.tasks import OWNER, questions_task
from medgemma_dash.services.questions.under_way import RunsUnderWay, RunUnderWay

if TYPE_CHECKING:
    from medgemma_dash.services.questions.question_set import PlanOptions
    from medgemma_dash.services.runtime.host import ModelHost


def begin(
    host: ModelHost, known: RunsUnderWay, folder: Path, given: GivenSet, options: PlanOptions
) -> RunUnderWay:
    """Ask these rows in the background; a run of the same that is at work already is that one.

    folder: of all runs. What was done of the same before is not done again. Raises ModelError
    while there is no model, TableError, and ResultFileError where nothing can be kept.
    """
    from medgemma_dash.services.questions.run import model_facts
    from medgemma_dash.services.questions.run_folder import identity

    if host.loaded is None:
        raise ModelError(
            f"There is no model to ask. {host.message}"
            if host.state == "failed"
            else "The model is still loading. Ask, or go on, when its name stands above."
        )
    questions = given.questions(options)
    facts = model_facts(host.loaded)
    name = run_name(identity(facts, questions.plan), given.key)
    there = known.get(name)
    if there is not None and not there.job.finished:
        return there
    about = AboutRun(
        title=given.title,
        source=given.kind,
        folder=given.folder,
        input=given.key,
        rows=len(questions.rows),
        to_ask=len(questions.to_ask),
        selected=questions.plan.selected,
        maps=questions.plan.maps,
        model=public_model_name(facts.model_name),
        is_demo=facts.is_demo,
        began=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    kept = begin_run(folder, name, about, given.data)
    run = RunUnderWay(name, questions, facts)
    run.belongs_to(host.run(OWNER, questions_task(run, kept.record)))
    known.put(run)
    return run
