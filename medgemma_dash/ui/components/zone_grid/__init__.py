"""The zone table as an AgGrid, from which zones can be chosen.

AgGrid takes style sheet and chosen rows once, when its frame is made, and functions never (they
would need `eval`): what changes with the word goes through the rows, and through a small script.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from math import floor, log10
from pathlib import Path

import pandas as pd
import streamlit as st
from st_aggrid import AgGrid, AgGridReturn
from streamlit import file_util

from medgemma_dash.core.numbers import DIGITS
from medgemma_dash.figures import palette
from medgemma_dash.regions import ZoneTable
from medgemma_dash.ui.components.theme import is_dark

ROW_HEIGHT_PX = 29
HEADER_HEIGHT_PX = 32
LONGEST = 7

_tend = st.components.v2.component(
    "medgemma_dash_grid_frame",
    css=".stElementContainer:has(.grid-frame) { display: none; }",
    js=files(__name__).joinpath("grid_frame.js").read_text("utf-8"),
    isolate_styles=False,
)


def zone_frame(zones: ZoneTable) -> pd.DataFrame:
    """The table's numbers as they are shown, in the zones' own order.

    AgGrid tells rows by their place: a chosen zone stays chosen when another word's numbers come.
    It sorts them by what they hold for their area.
    """
    return pd.DataFrame(
        {
            "zone": [row.name for row in zones.rows],
            "share": [_sortable(f"{100 * row.share:.0f}") for row in zones.rows],
            "density": [_sortable(f"{row.density:.1f}") for row in zones.rows],
            "mean": one_notation([row.mean for row in zones.rows]),
            "peak": one_notation([row.peak for row in zones.rows]),
        }
    )


def _sortable(number: str) -> str:
    """As texts these are sorted like the numbers, which AgGrid would show with all their digits."""
    return number.rjust(LONGEST)


def one_notation(values: Sequence[float]) -> list[str]:
    """A column's numbers, all with the decimals that the largest one needs; as powers of ten where
    that would be long, or would make one of them 0.
    """
    largest = max(map(abs, values), default=0.0)
    decimals = DIGITS - 1 - floor(log10(largest)) if largest > 0 else 0
    plain = [f"{value:.{max(0, decimals)}f}" for value in values]
    if all(
        len(text) <= LONGEST and (value == 0 or float(text) != 0)
        for value, text in zip(values, plain, strict=True)
    ):
        return plain
    # Three digits of each, and no more letters than there is room for.
    return [_power(value) for value in values]


def _power(value: float) -> str:
    mantissa, _, power = f"{value:.{DIGITS - 1}e}".partition("e")
    return f"{mantissa}e{int(power)}" if value else "0"


def zone_grid(
    zones: ZoneTable,
    title: str,
    *,
    film: str,
    named: str,
    chosen: Sequence[str],
    container: str,
    on_choose: Callable[[tuple[str, ...]], None],
) -> None:
    """Draw the table, the zone that holds most for its area first.

    film: an id of the radiograph; the table of another one begins with nothing chosen.
    named: the zone that the sentence above names, or ""; the accent marks it.
    chosen: names of the zones that are chosen when the table comes onto the page. While it stands
        there it knows better, and other ones would only have all its options gone through again.
    container: key of the `st.container` that holds it.
    on_choose: called with the names of the chosen zones; a click on a row chooses it or lets it go.
    """
    frame = zone_frame(zones)
    names = list(frame["zone"])
    number = {"type": "rightAligned", "width": 60, "sortingOrder": ["desc", "asc"]}
    raw = {"type": "rightAligned", "width": 62, "sortable": False}
    options = {
        "columnDefs": [
            {"field": "zone", "headerName": title, "flex": 1, "minWidth": 92, "sortable": False},
            {"field": "share", "headerName": "share %", **number},
            {
                "field": "density",
                "headerName": "× area",
                "headerTooltip": "Share of the map over share of the picture; 1 is even.",
                "initialSort": "desc",
                **number,
                "width": 66,
            },
            {"field": "mean", "headerName": "mean", **raw},
            {"field": "peak", "headerName": "peak", **raw},
        ],
        "rowHeight": ROW_HEIGHT_PX,
        "headerHeight": HEADER_HEIGHT_PX,
        "rowSelection": {
            "mode": "multiRow",
            "checkboxes": False,
            "headerCheckbox": False,
            "enableClickSelection": True,
            "enableSelectionWithoutKeys": True,
        },
        "initialState": {"rowSelection": [str(names.index(one)) for one in chosen]},
        # Rows are read aloud in the order in which they are seen.
        "ensureDomOrder": True,
        "animateRows": False,
        "suppressMovableColumns": True,
        "suppressContextMenu": True,
    }
    AgGrid(
        frame,
        gridOptions=options,
        height=HEADER_HEIGHT_PX + ROW_HEIGHT_PX * len(frame) + 4,
        theme="streamlit",
        update_on=["selectionChanged"],
        callback=lambda told: on_choose(_chosen_zones(told)),
        allow_unsafe_jscode=False,
        enable_enterprise_modules=False,
        custom_css=frame_styles(dark=is_dark()) | _named_style(len(frame), dark=is_dark()),
        key=f"zone_table_{film}_{'dark' if is_dark() else 'light'}",
    )
    place = str(names.index(named)) if named else ""
    tend_frame(container, place)


def _chosen_zones(told: AgGridReturn) -> tuple[str, ...]:
    rows = told.selected_rows
    return () if rows is None else tuple(map(str, rows["zone"]))


@cache
def _typeface() -> dict[str, str]:
    """The page's own, from the same server; its file's name holds a hash of the contents."""
    media = Path(file_util.get_static_dir()) / "static" / "media"
    file = next(media.glob("SourceSansVF-Upright*.woff2"))
    return {
        "font-family": "Source Sans",
        "font-weight": "200 900",
        "src": f"url(../../static/media/{file.name}) format('woff2')",
    }


def tend_frame(container: str, named: str = "") -> None:
    """Mark a row, and make the grid in this container one stop of the Tab key."""
    _tend(key=f"{container}_frame", data={"container": container, "named": named})


def _named_style(rows: int, *, dark: bool) -> dict[str, dict[str, str]]:
    named = (f'body[data-named="{row}"] .ag-row[row-id="{row}"]' for row in range(rows))
    return {", ".join(named): {"color": f"{palette(dark).accent} !important"}}


def frame_styles(*, dark: bool) -> dict[str, dict[str, str]]:
    """A grid lives in a frame of its own, which the page's style sheet does not reach."""
    colours = palette(dark)
    return {
        "@font-face": _typeface(),
        ".ag-root-wrapper": {
            "--ag-background-color": "transparent",
            "--ag-header-background-color": "transparent",
            "--ag-odd-row-background-color": "transparent",
            "--ag-row-border-color": colours.line,
            "--ag-wrapper-border": "none",
            "border": "none !important",
            # The page's own: a frame that lets it shine through is judged as white.
            "background": f"{colours.background} !important",
        },
        ".ag-root-wrapper *": {"font-family": "Source Sans, Arial, sans-serif !important"},
        ".ag-header-cell-text": {"font-weight": "400", "font-size": "12.5px"},
        ".ag-header-cell": {"color": f"{colours.muted} !important"},
        ".ag-header-cell::after, .ag-header-cell-resize::after": {"display": "none !important"},
        ".ag-body": {"background": "transparent !important"},
        ".ag-row": {
            "background": "transparent !important",
            "color": colours.text,
            "font-size": "13.5px",
        },
        ".ag-cell, .ag-header-cell": {
            "padding-left": "4px !important",
            "padding-right": "4px !important",
        },
    }
