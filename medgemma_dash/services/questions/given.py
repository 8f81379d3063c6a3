"""A set of questions as it was given: its table, its images, and its rows checked against both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from medgemma_dash.core.errors import TableError
from medgemma_dash.demo.question_set import example_table
from medgemma_dash.services.datasets.questions.rows import QuestionRow
from medgemma_dash.services.datasets.questions.sources import (
    ExampleImages,
    FolderImages,
    GivenImages,
    ImageSource,
)
from medgemma_dash.services.datasets.questions.table import QuestionTable, table_of
from medgemma_dash.services.questions.kept_runs import KeptRun, input_key
from medgemma_dash.services.questions.plan import OWN_COLUMNS
from medgemma_dash.services.questions.question_set import (
    PlanOptions,
    QuestionSet,
    checked,
    question_set,
)

Kind = Literal["example", "folder", "given"]
EXAMPLE_TITLE, OWN_TITLE = "Example set", "Your table"


@dataclass(frozen=True, repr=False)
class GivenSet:
    """kind: where its images are. folder: of the images, "" where they are in none.
    data: the table's file. rows: all of them, checked.
    """

    kind: Kind
    folder: str
    data: bytes
    table: QuestionTable
    source: ImageSource
    rows: tuple[QuestionRow, ...]

    @property
    def title(self) -> str:
        """What people see as its name; a file's own is never shown."""
        return EXAMPLE_TITLE if self.kind == "example" else OWN_TITLE

    @cached_property
    def can_be_asked(self) -> int:
        """How many rows have a question and an image."""
        return sum(row.can_be_asked for row in self.rows)

    @cached_property
    def images(self) -> int:
        """How many images its rows are about."""
        return len({row.image for row in self.rows if row.image})

    @cached_property
    def key(self) -> str:
        """Equal for the same table and images."""
        return input_key(self.table.digest, self.source.key)

    def questions(self, options: PlanOptions) -> QuestionSet:
        """What is asked of it."""
        return question_set(self.table, self.rows, self.source, options)


def example_set() -> GivenSet:
    """The set that comes with the program."""
    return _given("example", "", example_table(), ExampleImages())


def folder_set(data: bytes, folder: str) -> GivenSet:
    """A table's file, and a folder of this machine that its images lie in; raises TableError."""
    if not Path(folder).is_absolute():
        raise TableError(
            f"{folder!r} is no absolute path. Type the folder's whole path, from the root on."
        )
    return _given("folder", folder, data, FolderImages(Path(folder)))


def uploaded_set(data: bytes, files: Mapping[str, bytes]) -> GivenSet:
    """A table's file, and its images' files by their names; raises TableError."""
    return _given("given", "", data, GivenImages(files))


def set_of_run(run: KeptRun) -> GivenSet | None:
    """The set of a run that is kept; None where its images were given and are gone.

    Raises TableError where table or folder cannot be read any more.
    """
    if run.about.source == "example":
        return example_set()
    if run.about.source != "folder":
        return None
    try:
        data = run.table.read_bytes()
    except OSError as error:
        raise TableError(
            f"The run's table cannot be read: {error.strerror or error}. Give it again."
        ) from None
    return folder_set(data, run.about.folder)


def _given(kind: Kind, folder: str, data: bytes, source: ImageSource) -> GivenSet:
    table = table_of(data, OWN_COLUMNS)
    if not table.rows:
        raise TableError("The table names its columns and has no row. Give one with questions.")
    return GivenSet(kind, folder, data, table, source, checked(table, source))
