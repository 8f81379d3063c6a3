"""The zone table's numbers, as they are shown."""

from __future__ import annotations

import pytest

from medgemma_dash.regions import ZoneRow, ZoneTable
from medgemma_dash.ui.components.zone_grid import one_notation, zone_frame


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.00474, 0.00028, 0.00234, 0.0], ["0.00474", "0.00028", "0.00234", "0.00000"]),
        ([0.0128, -0.00056], ["0.0128", "-0.0006"]),
        ([12.34, 0.5], ["12.3", "0.5"]),
        # One that would be shown as 0, and one that would be long: the whole column.
        ([0.00474, 3.1e-06, 0.0], ["4.74e-3", "3.10e-6", "0"]),
        ([4.5e-05, -2e-05], ["4.50e-5", "-2.00e-5"]),
        ([1234567.0, 89.0], ["1234567", "89"]),
        ([0.0, 0.0], ["0", "0"]),
        ([], []),
    ],
)
def test_a_column_has_one_notation(values: list[float], shown: list[str]) -> None:
    assert one_notation(values) == shown


def test_rows_keep_their_places_and_are_sorted_as_numbers() -> None:
    held = [0.02, 0.6, 0.1]
    table = ZoneTable(
        tuple(ZoneRow(f"Zone {share}", share, share, share, area=0.05) for share in held), None, 0.0
    )
    frame = zone_frame(table)
    assert list(frame["zone"]) == ["Zone 0.02", "Zone 0.6", "Zone 0.1"]
    assert [text.strip() for text in frame["density"]] == ["0.4", "12.0", "2.0"]
    for column in ("share", "density"):
        assert sorted(frame[column]) == sorted(frame[column], key=float)
