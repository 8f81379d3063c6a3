"""What the reports of all records have in common."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.reports.report import Cell, Column, Table

if TYPE_CHECKING:
    import pandas as pd


def provenance_of(record: Record) -> Table:
    """Everything needed to compute a record again."""
    facts = record.provenance
    return Table(
        "Provenance",
        "Everything needed to compute it again stands in the record; this is what it was made of",
        (Column("What", "name"), Column("Value", "text")),
        tuple(_rows(facts)),
    )


def model_words(facts: RecordProvenance) -> str:
    """The model and its revision."""
    said = f"{facts.model_name}, revision {facts.model_revision}"
    return f"{said} (demo model, not MedGemma)" if facts.is_demo else said


def table_of(
    frame: pd.DataFrame,
    title: str,
    caption: str,
    columns: Sequence[tuple[str, Column]],
    note: str = "",
) -> Table:
    """A record's table in a report: these of its columns, in this order."""
    rows = frame[[name for name, _ in columns]].itertuples(index=False)
    return Table(
        title,
        caption,
        tuple(column for _, column in columns),
        tuple(
            tuple(_cell(value, column) for value, (_, column) in zip(row, columns, strict=True))
            for row in rows
        ),
        note,
    )


def _cell(value: object, column: Column) -> Cell:
    if column.kind in ("name", "text"):
        return str(value)
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None


def _rows(facts: RecordProvenance) -> Iterator[tuple[str, str]]:
    yield "Model", model_words(facts)
    yield "Computed on", f"{facts.device}, {facts.dtype}, {facts.seconds:.2f} s"
    for number, digest in enumerate(facts.images, 1):
        yield f"Radiograph {number}", f"sha256 {digest}"
    yield "Versions", ", ".join(f"{name} {version}" for name, version in facts.versions)
