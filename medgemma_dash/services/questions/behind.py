"""The rows behind a cell of a record's tables, by their numbers; without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.services.questions.flips import CHANGES
from medgemma_dash.services.questions.reading import rows_behind

if TYPE_CHECKING:
    import pandas as pd

    from medgemma_dash.core.record import Record

_HELD = CHANGES[:2]

__all__ = ["rows_behind", "rows_of_answers", "rows_of_flips", "rows_of_maps"]


def rows_of_answers(record: Record, truth: str, parsed: str = "") -> pd.DataFrame:
    """Those of a cell of the confusion over all rows; without `parsed` those of a truth."""
    known = rows_behind(record, "all", "")
    known = known[known["truth"] == truth]
    return known[known["parsed"] == parsed] if parsed else known


def rows_of_flips(
    record: Record, phrasing: str, strategy: str = "", change: str = ""
) -> pd.DataFrame:
    """Those of a cell of the flips: the wordings that changed so, each with its baseline wording.

    change: one of CHANGES, "other", "flipped" for groups whose answers are not all equal, or ""
    for all.
    """
    changes = record.tables["changes"]
    some = changes[changes["phrasing"] == phrasing]
    if strategy:
        some = some[some["strategy"] == strategy]
    if change == "flipped" and strategy:
        some = some[~some["change"].isin(_HELD)]
    elif change == "flipped":
        groups = record.tables["groups"]
        flipped = groups[(groups["phrasing"] == phrasing) & groups["flipped"]]["group"]
        some = some[some["group"].isin(flipped)]
    elif change:
        some = some[some["change"] == change]
    return _both(record, some)


def rows_of_maps(record: Record, phrasing: str, answer: str) -> pd.DataFrame:
    """Those of a line of the table "map_changes"; answer: "flips" or "holds"."""
    changes = record.tables["changes"]
    some = changes[changes["js_divergence"].notna() & (changes["phrasing"] == phrasing)]
    holds = some["change"].isin(_HELD)
    return _both(record, some[holds == (answer == "holds")])


def _both(record: Record, changes: pd.DataFrame) -> pd.DataFrame:
    rows = record.tables["rows"]
    return rows[rows["row"].isin({*changes["row"], *changes["baseline_row"]})]
