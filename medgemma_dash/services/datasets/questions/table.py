"""A table of questions from a file: CSV, TSV, semicolons, or Parquet."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from medgemma_dash.core.errors import ResultFileError, TableError
from medgemma_dash.core.parquet import read_parquet
from medgemma_dash.services.datasets.questions.columns import knows, named_columns

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 256 << 20
MOST_ROWS = 1_000_000
_LONGEST_HEADER = 100_000
_DELIMITERS = (",", ";", "\t", "|")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Row = tuple[str, ...]


@dataclass(frozen=True, repr=False)
class QuestionTable:
    """Texts by column. Its own texts are in no error and no log.

    columns: by our names where they are known. rows: a cell for each column. problems: by row,
    what is wrong with its shape. encoding: what the file was read as.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: dict[int, str]
    encoding: str

    @property
    def digest(self) -> str:
        """Sha256 of all its texts: equal for the same table in another encoding."""
        digest = sha256()
        for row in (self.columns, *self.rows):
            digest.update("\x1f".join(row).encode("utf-8", "surrogatepass") + b"\x1e")
        return digest.hexdigest()


def read_table(path: str | Path, own: Sequence[str]) -> QuestionTable:
    """Read a table from a file; see `table_of`."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise TableError(
            f"The table {str(path)!r} cannot be read: {error.strerror or error}."
        ) from None
    return table_of(data, own)


def table_of(data: bytes, own: Sequence[str]) -> QuestionTable:
    """The table in a file's bytes, which say what kind of file it is. own: see `named_columns`.

    Raises TableError for what is no such table, with what to do.
    """
    if len(data) > MOST_BYTES:
        raise TableError(f"The table is larger than {MOST_BYTES >> 20} MB. Split it.")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise TableError(
            "The file is a workbook (.xlsx, .xls, .ods), not a table. Save the sheet as CSV UTF-8."
        )
    if data.startswith(b"PAR1"):
        return _of_frame(data, own)
    text, encoding = decoded(data)
    return _of_text(text, encoding, own)


def decoded(data: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: UTF-8 or UTF-16, or what Excel writes in the West.

    Raises TableError.
    """
    if data.startswith(_UTF16):
        encodings: tuple[str, ...] = ("utf-16",)
    elif data[:1] != b"\0" and data[1:2] == b"\0":
        encodings = ("utf-16-le",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding.removesuffix("-sig")
    raise TableError(
        "The file is no text in UTF-8, UTF-16 or Windows-1252. Save the table as CSV UTF-8."
    )


def _of_text(text: str, encoding: str, own: Sequence[str]) -> QuestionTable:
    if text.lower().startswith("sep="):  # a line by which Excel is told the delimiter
        text = text.partition("\n")[2]
    text = text.lstrip("\r\n")
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        if not any(name.strip() for name in header):
            raise TableError("The table is empty. Its first line has to name the columns.")
        columns = named_columns(header, own)
        rows: list[Row] = []
        problems: dict[int, str] = {}
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(columns) and not any(map(str.strip, cells[len(columns) :])):
                cells = cells[: len(columns)]
            if len(cells) > len(columns):
                problems[len(rows)] = (
                    f"The row has {len(cells)} cells and the table {len(columns)} columns; a text "
                    f"with the delimiter in it has to stand in quotes."
                )
            _add(rows, [*cells, *[""] * (len(columns) - len(cells))][: len(columns)])
    except csv.Error:
        raise TableError(
            f"The table cannot be read from line {reader.line_num} on: a quotation mark opens and "
            "does not close, or a cell is too long."
        ) from None
    return QuestionTable(columns, tuple(rows), problems, encoding)


def _delimiter(text: str) -> str:
    """What parts the first line into most columns that we know, else into most columns."""
    first = text[:_LONGEST_HEADER].splitlines()[:1]

    def score(delimiter: str) -> tuple[int, int]:
        header = next(csv.reader(first, delimiter=delimiter), [])
        return knows(header), len(header)

    return max(_DELIMITERS, key=score)


def _of_frame(data: bytes, own: Sequence[str]) -> QuestionTable:
    try:
        frame = read_parquet(data, "The table", most_bytes=4 * MOST_BYTES)
    except ResultFileError as error:
        reason = str(error).replace("which no record has", "which no table of questions has")
        reason = reason.replace("'The table'", "The file")
        raise TableError(f"{reason} Save its columns as texts and numbers.") from None
    except KeyError:  # which pyarrow raises
        raise TableError("The table has two columns of one name. Rename one of them.") from None
    columns = named_columns([str(name) for name in frame.columns], own)
    texts = [_texts(frame.iloc[:, place]) for place in range(len(columns))]
    rows: list[Row] = []
    for cells in zip(*texts, strict=True):
        _add(rows, cells)
    return QuestionTable(columns, tuple(rows), {}, "parquet")


def _texts(column: pd.Series) -> list[str]:
    """Whole numbers that were stored as 10000032.0, for want of one, are whole again."""
    import pandas as pd

    known = column.notna()
    if pd.api.types.is_float_dtype(column):
        return [
            (str(int(value)) if float(value).is_integer() else repr(float(value))) if there else ""
            for value, there in zip(column, known, strict=True)
        ]
    return [str(value) if there else "" for value, there in zip(column, known, strict=True)]


def _add(rows: list[Row], cells: Sequence[str]) -> None:
    if len(rows) == MOST_ROWS:
        raise TableError(f"The table has more than {MOST_ROWS:,} rows. Split it.")
    rows.append(tuple(cell.strip() for cell in cells))
