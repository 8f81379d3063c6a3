"""The record of the rows that are done, of a whole run or of one under way."""

from collections.abc import Generator, Sequence
from dataclasses import asdict, replace

from medgemma_dash.core.progress import finish
from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.services.questions.journal import Outcome
from medgemma_dash.services.questions.plan import KIND
from medgemma_dash.services.questions.question_set import QuestionSet
from medgemma_dash.services.questions.tables import table_steps


def record_steps(
    facts: RecordProvenance, questions: QuestionSet, outcomes: Sequence[Outcome]
) -> Generator[None, None, Record]:
    """The record, a table at a time; yields between them. facts: of the model."""
    by_row = {outcome.row: outcome for outcome in sorted(outcomes, key=lambda one: one.row)}
    seen = dict.fromkeys(one.image_sha256 for one in by_row.values() if one.image_sha256)
    tables = yield from table_steps(
        questions.plan.columns, questions.rows, by_row, questions.partners
    )
    return Record(
        kind=KIND,
        plan=asdict(questions.plan),
        tables=tables,
        provenance=replace(
            facts,
            images=tuple(seen),
            seconds=sum(outcome.seconds for outcome in by_row.values()),
        ),
        maps={
            f"row {row}": outcome.map for row, outcome in by_row.items() if outcome.map is not None
        },
    )


def record_so_far(
    facts: RecordProvenance, questions: QuestionSet, outcomes: Sequence[Outcome]
) -> Record:
    """The record as if the rows that are done were all."""
    done = {outcome.row for outcome in outcomes}
    rows = tuple(row for row in questions.rows if row.row in done)
    return finish(record_steps(facts, replace(questions, rows=rows), outcomes))
