"""Rows that were read and checked, and what is asked of them; no model is needed for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medgemma_dash.core.errors import TableError
from medgemma_dash.services.datasets.questions.rows import QuestionRow, checked_rows
from medgemma_dash.services.datasets.questions.sources import FolderImages, ImageSource
from medgemma_dash.services.datasets.questions.table import QuestionTable, read_table
from medgemma_dash.services.questions.pictures import Pictures, ReadPictures
from medgemma_dash.services.questions.plan import OWN_COLUMNS, QuestionsPlan
from medgemma_dash.services.questions.swaps import swap_partners


@dataclass(frozen=True)
class PlanOptions:
    """What may be chosen of a run; see `answer_questions`."""

    maps: bool = False
    rows: tuple[int, int] | None = None
    selected: tuple[int, ...] = ()
    withheld: tuple[str, ...] = ()
    max_new_tokens: int = 256


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


def read_questions(
    table: str | Path, images: str | Path, options: PlanOptions | None = None
) -> QuestionSet:
    """Read and check a table against a folder; no image is opened.

    Raises TableError.
    """
    chosen = options or PlanOptions()
    source = FolderImages(Path(images))
    read = read_table(table, OWN_COLUMNS)
    return question_set(read, checked(read, source, chosen), source, chosen)


def checked(
    table: QuestionTable, source: ImageSource, options: PlanOptions | None = None
) -> tuple[QuestionRow, ...]:
    """The rows of a table that were chosen. Raises TableError for rows that are not there, and for
    a table without any.
    """
    chosen = options or PlanOptions()
    if not table.rows:
        raise TableError("The table names its columns and has no rows. Add a question.")
    first, stop = chosen.rows or (0, len(table.rows))
    if not 0 <= first < stop <= len(table.rows):
        raise TableError(
            f"The table has {len(table.rows)} rows, and rows {first} to {stop} were chosen. Choose "
            f"A:B with 0 <= A < B <= {len(table.rows)}."
        )
    rows = checked_rows(table, lambda _, row: source.find(row), chosen.withheld, (first, stop))
    return tuple(rows)


def question_set(
    table: QuestionTable, rows: Sequence[QuestionRow], source: ImageSource, options: PlanOptions
) -> QuestionSet:
    """What is asked of rows that were checked, with these options but for `selected`.

    Raises TableError where a selected row is not among them.
    """
    asked = tuple(rows)
    selected = tuple(sorted(set(options.selected)))
    if selected:
        wanted = set(selected)
        asked = tuple(row for row in asked if row.row in wanted)
        if len(asked) < len(wanted):
            raise TableError("Rows were selected that are not among the table's.")
    plan = QuestionsPlan(
        table_sha256=table.digest,
        columns=table.columns,
        rows=options.rows or (0, len(table.rows)),
        selected=selected,
        withheld=options.withheld,
        maps=options.maps,
        max_new_tokens=options.max_new_tokens,
    )
    partners = swap_partners(asked)
    return QuestionSet(plan, asked, ReadPictures(source.read), partners, table.encoding)
