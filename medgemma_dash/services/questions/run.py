"""A table of questions put to a model row by row, and resumed where it was ended."""

import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from medgemma_dash.core.progress import Check, Progress, finish
from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.core.record_files import HEAD, save_beside
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.provenance import record_provenance
from medgemma_dash.services.questions.asking import row_steps
from medgemma_dash.services.questions.journal import Journal, Outcome
from medgemma_dash.services.questions.question_set import PlanOptions, QuestionSet, read_questions
from medgemma_dash.services.questions.record import record_steps
from medgemma_dash.services.questions.run_folder import check_folder, finished, identity

OnRow = Callable[[Outcome], None]


def answer_questions(
    model: VisionLanguageModel,
    table: str | Path,
    *,
    images: str | Path,
    out: str | Path | None = None,
    maps: bool = False,
    rows: tuple[int, int] | None = None,
    selected: Sequence[int] = (),
    withheld: Sequence[str] = (),
    max_new_tokens: int = 256,
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """Ask every question of a table about its radiograph: a record of the kind "questions".

    table: CSV, TSV, semicolons or Parquet; a row that cannot be asked has its problem said, and
        the others are asked. images: the folder that the table's images lie in.
    out: the run's folder, in which every row is kept as soon as it is done, and the record at the
        end. A run that was ended, by whatever, goes on there; a finished one is read.
    maps: a Chefer map of each row's decision too. rows: a to b - 1 alone. selected: these alone,
        among them; all where it is empty. withheld: strategies whose phrasings were kept back,
        besides those that the table marks.
    progress counts rows. check may raise to stop. Raises TableError, and ResultFileError where
    `out` holds another run, or no row more can be written.
    """
    chosen = PlanOptions(maps, rows, tuple(selected), tuple(withheld), max_new_tokens)
    questions = read_questions(table, images, chosen)
    return run_through(model, questions, out, progress=progress, check=check)


def run_through(
    model: VisionLanguageModel,
    questions: QuestionSet,
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """As `answer_questions`, of rows that are read and checked."""
    return finish(question_steps(lambda: model, questions, out, check, progress))


def question_steps(
    current: Callable[[], VisionLanguageModel],
    questions: QuestionSet,
    out: str | Path | None = None,
    check: Check | None = None,
    progress: Progress | None = None,
    on_row: OnRow | None = None,
) -> Generator[None, None, Record]:
    """As `answer_questions`, a part of a row at a time; yields between them.

    Without `out` none is kept. on_row: is given every row that is done, those of before first.
    """
    if out is None:
        with tempfile.TemporaryDirectory() as made:
            return (yield from question_steps(current, questions, made, check, progress, on_row))
    folder = Path(out)
    check_folder(folder)
    run = identity(model_facts(current()), questions.plan)
    if (folder / HEAD).is_file():
        return finished(folder, run)
    to_ask, by_row = questions.to_ask, {row.row: row for row in questions.rows}
    with Journal(folder, run) as journal:
        if on_row is not None and journal.done:
            for outcome in journal.outcomes():
                on_row(outcome)
        for row in to_ask:
            if row.row in journal.done:
                continue
            if check is not None:
                check()
            if progress is not None:
                progress(len(journal.done), len(to_ask))
            partner = by_row.get(questions.partners.get(row.row, -1))
            outcome = yield from row_steps(current, row, partner, questions, check)
            journal.add(outcome)
            if on_row is not None:
                on_row(outcome)
            yield
        if progress is not None:
            progress(len(to_ask), len(to_ask))
        facts = model_facts(current())
        record = yield from record_steps(facts, questions, list(journal.outcomes()))
        save_beside(record, folder)
        journal.remove()
    return record


def model_facts(model: VisionLanguageModel) -> RecordProvenance:
    """What computes a run, before it has looked at an image."""
    return record_provenance(model, (), 0.0)
