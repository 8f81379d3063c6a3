"""A table's rows, checked one by one: what each asks of which image, and what is wrong with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medgemma_dash.services.datasets.questions.finding import finding_of
from medgemma_dash.services.datasets.questions.images import ImageNotFoundError
from medgemma_dash.services.datasets.questions.table import QuestionTable
from medgemma_dash.services.datasets.questions.truth import is_true, truth_of

Phrasing = Literal["baseline", "shown", "withheld"]
BASELINE = "baseline"
LONGEST_QUESTION = 10_000

# Of a row's place and cells; raises ImageNotFoundError.
FindImage = Callable[[int, Mapping[str, str]], str]


@dataclass(frozen=True, repr=False)
class QuestionRow:
    """A row that was checked.

    row: its place in the table, from 0. cells: its texts by column. asked: the question's text.
    image: what names the image, "" without one. truth: "yes", "no", or "" where it is not known.
    patient: an id, "" where unknown. problem: sentences, "" without one. can_be_asked: whether it
    has a question and an image.
    """

    row: int
    cells: Mapping[str, str]
    asked: str
    image: str
    truth: str
    baseline_question: str
    strategy: str
    phrasing: Phrasing
    finding: str
    patient: str
    problem: str
    can_be_asked: bool


def checked_rows(
    table: QuestionTable,
    find_image: FindImage,
    withheld: Sequence[str] = (),
    rows: tuple[int, int] | None = None,
) -> Iterator[QuestionRow]:
    """Check each row of the table, or rows a to b - 1; no image is opened.

    withheld: strategies whose phrasings were kept back, besides those that the table marks.
    """
    kept_back = {name.casefold() for name in withheld}
    first, stop = rows or (0, len(table.rows))
    for place in range(first, min(stop, len(table.rows))):
        cells = dict(zip(table.columns, table.rows[place], strict=True))
        yield _checked(place, cells, table.problems.get(place, ""), find_image, kept_back)


def _checked(
    place: int,
    cells: Mapping[str, str],
    misshapen: str,
    find_image: FindImage,
    kept_back: set[str],
) -> QuestionRow:
    fatal = [misshapen] if misshapen else []
    asked = _asked(cells)
    if not asked:
        fatal.append("The question is empty.")
    elif len(asked) > LONGEST_QUESTION:
        fatal.append(f"The question is longer than {LONGEST_QUESTION:,} signs.")
    image = ""
    try:
        image = "" if misshapen else find_image(place, cells)
    except ImageNotFoundError as error:
        fatal.append(str(error))
    # The cells of a misshapen row may stand in the wrong columns.
    truth, unsure = truth_of("" if misshapen else cells.get("correct_answer", "")), ""
    if truth == "uncertain" and "correct_answer" in cells and not misshapen:
        given = bool(cells["correct_answer"])
        unsure = f"The correct answer is {'neither yes nor no' if given else 'not given'}."
    strategy = cells.get("strategy", "")
    baseline = cells.get("baseline_question", "") or cells.get("question", "") or asked
    is_baseline = asked == baseline or strategy.casefold() == BASELINE
    phrasing: Phrasing = "baseline" if is_baseline else "shown"
    if is_true(cells.get("withheld", "")) or strategy.casefold() in kept_back:
        phrasing = "withheld"
    return QuestionRow(
        row=place,
        cells=cells,
        asked=asked,
        image=image,
        truth="" if truth == "uncertain" else truth,
        baseline_question=baseline,
        strategy=strategy,
        phrasing=phrasing,
        finding=cells.get("finding", "") or finding_of(baseline),
        patient=cells.get("subject_id", ""),
        problem=" ".join(filter(None, [*fatal, unsure])),
        can_be_asked=not fatal,
    )


def _asked(cells: Mapping[str, str]) -> str:
    """The variant where the row has one in words (some tables number them), else the question."""
    variant = cells.get("question_variant", "")
    return variant if " " in variant else cells.get("question", "") or variant
