"""A table of questions put to a model row by row, and resumed where it was ended."""

import json
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from medgemma_dash.core.errors import ResultFileError, TableError
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.record import Record
from medgemma_dash.core.record_files import HEAD, save_beside
from medgemma_dash.core.record_reading import read_record
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.datasets.questions.images import ImagePlaces
from medgemma_dash.services.datasets.questions.rows import QuestionRow, checked_rows
from medgemma_dash.services.datasets.questions.table import QuestionTable, read_table
from medgemma_dash.services.explaining.provenance import record_provenance
from medgemma_dash.services.questions.asking import ask_row
from medgemma_dash.services.questions.journal import FILE, Journal, Outcome
from medgemma_dash.services.questions.pictures import FolderPictures, Pictures
from medgemma_dash.services.questions.plan import KIND, OWN_COLUMNS, QuestionsPlan
from medgemma_dash.services.questions.swaps import swap_partners
from medgemma_dash.services.questions.tables import all_tables


@dataclass(frozen=True, repr=False)
class QuestionSet:
    """Checked rows and what their images are found by.

    partners: whose image is swapped in, row to row. encoding: what the table was read as.
    """

    plan: QuestionsPlan
    rows: tuple[QuestionRow, ...]
    pictures: Pictures
    partners: Mapping[int, int]
    encoding: str = ""

    @property
    def to_ask(self) -> list[QuestionRow]:
        """The rows that have a question and an image."""
        return [row for row in self.rows if row.can_be_asked]


def answer_questions(
    model: VisionLanguageModel,
    table: str | Path,
    *,
    images: str | Path,
    out: str | Path | None = None,
    maps: bool = False,
    rows: tuple[int, int] | None = None,
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
    maps: a Chefer map of each row's decision too. rows: a to b - 1 alone. withheld: strategies
        whose phrasings were kept back, besides those that the table marks.
    progress counts rows. check may raise to stop. Raises TableError, and ResultFileError where
    `out` holds another run, or no row more can be written.
    """
    chosen = PlanOptions(maps, rows, tuple(withheld), max_new_tokens)
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
    steps = question_steps(lambda: model, questions, out, check, progress)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            record: Record = end.value
            return record


@dataclass(frozen=True)
class PlanOptions:
    """What may be chosen of a run; see `answer_questions`."""

    maps: bool = False
    rows: tuple[int, int] | None = None
    withheld: tuple[str, ...] = ()
    max_new_tokens: int = 256


def read_questions(
    table: str | Path, images: str | Path, options: PlanOptions | None = None
) -> QuestionSet:
    """Read and check a table against a folder; no image is opened, no model needed.

    Raises TableError.
    """
    folder = Path(images)
    if not folder.is_dir():
        raise TableError(f"There is no folder {str(images)!r} for the images.")
    read = read_table(table, OWN_COLUMNS)
    places = ImagePlaces(folder)
    return question_set(
        read, options or PlanOptions(), lambda _, cells: places.find(cells), FolderPictures(folder)
    )


def question_set(
    table: QuestionTable,
    options: PlanOptions,
    find_image: Callable[[int, Mapping[str, str]], str],
    pictures: Pictures,
) -> QuestionSet:
    """The checked rows of a table. Raises TableError for rows that are not there."""
    first, stop = options.rows or (0, len(table.rows))
    if not 0 <= first < stop <= len(table.rows):
        raise TableError(
            f"The table has {len(table.rows)} rows, and rows {first} to {stop} were chosen. Choose "
            f"A:B with 0 <= A < B <= {len(table.rows)}."
        )
    rows = tuple(checked_rows(table, find_image, options.withheld, (first, stop)))
    plan = QuestionsPlan(
        table_sha256=table.digest,
        columns=table.columns,
        rows=(first, stop),
        withheld=options.withheld,
        maps=options.maps,
        max_new_tokens=options.max_new_tokens,
    )
    return QuestionSet(plan, rows, pictures, swap_partners(rows), table.encoding)


def question_steps(
    current: Callable[[], VisionLanguageModel],
    questions: QuestionSet,
    out: str | Path | None = None,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Record]:
    """As `answer_questions`, one row at a time; yields between them. Without `out` none is kept."""
    if out is None:
        with tempfile.TemporaryDirectory() as made:
            return (yield from question_steps(current, questions, made, check, progress))
    folder = Path(out)
    _check_folder(folder)
    run = _run_of(current(), questions.plan)
    if (folder / HEAD).is_file():
        return _finished(folder, run)
    to_ask, by_row = questions.to_ask, {row.row: row for row in questions.rows}
    with Journal(folder, run) as journal:
        for place, row in enumerate(to_ask):
            if row.row in journal.done:
                continue
            if check is not None:
                check()
            if progress is not None:
                progress(len(journal.done), len(to_ask))
            partner = by_row.get(questions.partners.get(row.row, -1))
            journal.add(ask_row(current(), row, partner, questions.pictures, questions.plan, check))
            if place + 1 < len(to_ask):
                yield
        if progress is not None:
            progress(len(to_ask), len(to_ask))
        record = _record(current(), questions, list(journal.outcomes()))
        save_beside(record, folder)
        journal.remove()
    return record


def _record(
    model: VisionLanguageModel, questions: QuestionSet, outcomes: Sequence[Outcome]
) -> Record:
    by_row = {outcome.row: outcome for outcome in sorted(outcomes, key=lambda one: one.row)}
    seen = dict.fromkeys(one.image_sha256 for one in by_row.values() if one.image_sha256)
    return Record(
        kind=KIND,
        plan=asdict(questions.plan),
        tables=all_tables(questions.plan.columns, questions.rows, by_row, questions.partners),
        provenance=record_provenance(
            model, tuple(seen), sum(outcome.seconds for outcome in by_row.values())
        ),
        maps={
            f"row {row}": outcome.map for row, outcome in by_row.items() if outcome.map is not None
        },
    )


def _check_folder(folder: Path) -> None:
    """Empty, or of a run; raises ResultFileError."""
    if folder.suffix.lower() == ".zip":
        raise ResultFileError(
            "A run of questions is kept in a folder, so that it can go on after it was ended. "
            "Choose a name without .zip."
        )
    if folder.is_dir():
        names = {one.name for one in folder.iterdir() if not one.name.startswith(".writing-")}
        if not names or names & {FILE, HEAD}:
            return
    elif not folder.exists():
        return
    raise ResultFileError(
        f"{folder} is there already and holds no run. Choose an empty folder or another name."
    )


def _run_of(model: VisionLanguageModel, plan: QuestionsPlan) -> dict[str, object]:
    """All that a run's numbers depend on."""
    facts = record_provenance(model, (), 0.0)
    return {
        "plan": asdict(plan),
        "model": public_model_name(facts.model_name),
        "revision": facts.model_revision,
        "device": facts.device,
        "dtype": facts.dtype,
        "versions": facts.versions,
    }


def _finished(folder: Path, run: Mapping[str, object]) -> Record:
    """The record that stands there; raises ResultFileError where it is of something else."""
    record = read_record(folder)
    facts = record.provenance
    there = {
        "plan": dict(record.plan),
        "model": facts.model_name,
        "revision": facts.model_revision,
        "device": facts.device,
        "dtype": facts.dtype,
        "versions": facts.versions,
    }
    if record.kind != KIND or _plain(there) != _plain(run):
        raise ResultFileError(
            f"{folder} holds a finished record of something else: another table, other options, "
            "another model or other versions. Choose another folder."
        )
    (folder / FILE).unlink(missing_ok=True)  # where the process ended right behind the record
    return record


def _plain(run: Mapping[str, object]) -> object:
    return json.loads(json.dumps(run))
