"""How many maps stand beside each other, in windows of every width."""

from __future__ import annotations

import pytest

from medgemma_dash.ui.components.window_width import WindowWidth
from medgemma_dash.ui.pages.compare.map import IN_A_ROW, row_of_maps


@pytest.mark.parametrize(
    ("count", "chosen", "width", "columns"),
    [
        (6, IN_A_ROW, "narrow", 1),
        (18, IN_A_ROW, "medium", 3),
        (18, IN_A_ROW, "wide", 6),
        (18, "4", "wide", 4),
        (18, "4", "narrow", 1),  # titles would stand on each other
        (2, IN_A_ROW, "wide", 2),
    ],
)
def test_a_row_has_as_many_maps_as_there_is_room_for(
    count: int, chosen: str, width: WindowWidth, columns: int
) -> None:
    assert row_of_maps(count, chosen, width)[0] == columns


def test_fewer_maps_are_larger_and_one_alone_is_large() -> None:
    heights = [row_of_maps(count, IN_A_ROW, "wide")[1] for count in range(1, 7)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] >= 2 * heights[5]
