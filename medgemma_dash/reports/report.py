"""A report as plain data: what it says, in order, and nothing of how it looks."""

from dataclasses import dataclass
from typing import Literal

Cell = str | float | None


@dataclass(frozen=True)
class Run:
    """A stretch of the answer; control: what a special token does, in our words."""

    text: str
    role: Literal["said", "marked", "control"] = "said"


@dataclass(frozen=True)
class Column:
    """A column; name: what a row is called, never broken over lines; share: 1.0 is 100%."""

    title: str
    kind: Literal["name", "text", "number", "share"]


@dataclass(frozen=True)
class Table:
    """Rows of cells, one for each column; None where there is no number."""

    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"The rows of {self.title!r} have {len(self.columns)} cells each.")


@dataclass(frozen=True)
class Figure:
    """light, dark: `plotly.Figure.to_json()` for either theme; None stands on white in both."""

    title: str
    caption: str
    light: str
    dark: str | None = None


@dataclass(frozen=True, repr=False)
class Picture:
    """png: bytes of a PNG file. words: what it shows, for those who do not see it. caption: which
    of several it is; "" of one alone.
    """

    png: bytes
    words: str
    caption: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """One result, ready to be laid out.

    notices: what every copy of it has to say. pictures: one for each image that the answer is
    about. lines: sentences about the answer. provenance: everything needed to compute it again.
    about: which films and which model, in one line. limits: what it does not show.
    """

    title: str
    notices: tuple[str, ...]
    pictures: tuple[Picture, ...]
    question: str
    answer: tuple[Run, ...]
    lines: tuple[str, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    provenance: Table
    about: str = ""
    limits: str = ""
