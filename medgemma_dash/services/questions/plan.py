"""What is asked of a table of questions, and what the columns of its results are called."""

from dataclasses import dataclass

KIND = "questions"
# Columns of the table "rows" behind those of the input.
OWN_COLUMNS = (
    "row", "answer", "parsed", "truth", "correct", "margin", "problem", "seconds", "asked",
    "phrasing", "group", "image_sha256", "blank_margin", "swapped_margin", "swapped_row",
)  # fmt: skip


@dataclass(frozen=True)
class QuestionsPlan:
    """Rows of a table, asked one by one.

    table_sha256: of its texts. columns: of the input, by our names where they are known.
    rows: (first, stop). selected: the rows among them that are asked; all where it is empty.
    withheld: strategies whose phrasings were kept back, besides those that the table marks itself.
    """

    table_sha256: str
    columns: tuple[str, ...]
    rows: tuple[int, int]
    selected: tuple[int, ...]
    withheld: tuple[str, ...]
    maps: bool
    max_new_tokens: int
