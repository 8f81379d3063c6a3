"""The record that was opened from a file: its page shows it in place of the session's own."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from medgemma_dash.core.errors import ResultFileError, quoted
from medgemma_dash.core.record import TABLE_NAME
from medgemma_dash.core.record_files import HEAD, MAPS
from medgemma_dash.imaging.limits import MAX_FILE_BYTES
from medgemma_dash.ui.state.freeing import page_check
from medgemma_dash.ui.state.session import LivesWith, Session, page_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medgemma_dash.core.record import Record

# More than any analysis or table of questions has, and as many words as a browser can hold.
MOST_ROWS = 100_000
MOST_WORDS = 10_000


@dataclass(eq=False)
class OpenedRecord:
    """At most one in a session. number: counts those that were opened."""

    lives_with: ClassVar[LivesWith] = "session"
    record: Record | None = None
    number: int = 0


def opened_record(kind: str) -> Record | None:
    """The record that was opened from a file, if it is of this kind."""
    record = page_state(OpenedRecord).record
    return record if record is not None and record.kind == kind else None


def open_record(record: Record) -> None:
    """Have the page of its kind show it."""
    opened = page_state(OpenedRecord)
    opened.record, opened.number = record, opened.number + 1


def close_record() -> None:
    """Have every page show what the session has again."""
    page_state(OpenedRecord).record = None


def read_uploaded(session: Session, files: Sequence[tuple[str, bytes]]) -> Record:
    """The record in what was uploaded: one zip, or the files of its folder, by their names.

    Raises ResultFileError for what cannot be read, and for what no page could show.
    """
    # Here, for no page waits for what only few of them need.
    from medgemma_dash.imaging.guarded.decode import record_guarded
    from medgemma_dash.reports.records import record_report

    if sum(len(data) for _, data in files) > MAX_FILE_BYTES:
        raise ResultFileError(
            f"it takes more than {MAX_FILE_BYTES >> 20} MB, the most that is taken here. The "
            "command `report` reads larger ones."
        )
    record = record_guarded(_packed(files), owner=session.owner, check=page_check())
    for name, table in record.tables.items():
        most = MOST_WORDS if (record.kind, name) == ("evidence", "words") else MOST_ROWS
        if len(table) > most:
            raise ResultFileError(f"its table {name!r} has more than {most:,} rows.")
    record_report(record)
    return record


def _packed(files: Sequence[tuple[str, bytes]]) -> bytes:
    """One zip; of a folder's files those that a record has, for others may lie beside them."""
    if len(files) == 1 and files[0][1].startswith(b"PK"):
        return files[0][1]
    packed, names = io.BytesIO(), set()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            stem = name.removesuffix(".parquet")
            if name not in (HEAD, MAPS) and (stem == name or not TABLE_NAME.fullmatch(stem)):
                continue
            if name in names:
                raise ResultFileError(f"there are two files {quoted(name)}.")
            names.add(name)
            archive.writestr(zipfile.ZipInfo(name), data)
    if HEAD not in names:
        raise ResultFileError(
            f"it is neither a record's zip file nor {HEAD} with the files beside it."
        )
    return packed.getvalue()
