"""The zone table as an AgGrid, from which a zone can be chosen."""

from collections.abc import Callable

import pandas as pd
from st_aggrid import AgGrid, AgGridReturn

from medgemma_dash.figures import palette
from medgemma_dash.regions import ZoneTable
from medgemma_dash.ui.components.theme import is_dark

ROW_HEIGHT_PX = 29
HEADER_HEIGHT_PX = 32
# The column whose values AgGrid tells rows by, so that a chosen zone stays chosen when the rows
# of another word come in another order.
ROW_NAME = "::auto_unique_id::"


def zone_frame(zones: ZoneTable) -> pd.DataFrame:
    """The table's numbers as they are shown, the zone that holds most for its area first."""
    rows = sorted(zones.rows, key=lambda row: -row.density)
    return pd.DataFrame(
        {
            "zone": [row.name for row in rows],
            "share": [100 * row.share for row in rows],
            "density": [row.density for row in rows],
            # As text: the grid would round 3.1e-05 to nothing.
            "mean": [_readable(row.mean) for row in rows],
            "peak": [_readable(row.peak) for row in rows],
        }
    )


def _readable(value: float) -> str:
    """Seven characters that are never 0.0000."""
    return f"{value:.3g}" if value == 0 or abs(value) >= 0.001 else f"{value:.1e}"


def zone_grid(
    zones: ZoneTable, title: str, *, named: bool, on_choose: Callable[[tuple[str, ...]], None]
) -> None:
    """Draw the table, the zone that holds most for its area first.

    named: whether the sentence above names that zone; the accent marks it then, and only then.
    on_choose: called with the names of the chosen zones; a click on a row chooses it or lets it go.
    """
    frame = zone_frame(zones)
    frame[ROW_NAME] = frame["zone"]
    number = {"type": ["numericColumn", "customNumericFormat"], "width": 60, "sortable": True}
    text = {"type": "rightAligned", "width": 72, "sortable": False}
    options = {
        "columnDefs": [
            {"field": "zone", "headerName": title, "flex": 1, "minWidth": 108},
            {"field": "share", "headerName": "share %", "precision": 0, **number},
            {
                "field": "density",
                "headerName": "× area",
                "headerTooltip": "Share of the map over share of the picture; 1 is even.",
                "precision": 1,
                **number,
            },
            {"field": "mean", "headerName": "mean", **text},
            {"field": "peak", "headerName": "peak", **text},
        ],
        "rowHeight": ROW_HEIGHT_PX,
        "headerHeight": HEADER_HEIGHT_PX,
        "suppressCellFocus": False,
        "rowSelection": {
            "mode": "multiRow",
            "checkboxes": False,
            "headerCheckbox": False,
            "enableClickSelection": True,
            "enableSelectionWithoutKeys": True,
        },
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
        custom_css=_styles(named=named, dark=is_dark()),
        key="zone_table",
    )


def _chosen_zones(told: AgGridReturn) -> tuple[str, ...]:
    rows = told.selected_rows
    return () if rows is None else tuple(map(str, rows["zone"]))


def _styles(*, named: bool, dark: bool) -> dict[str, dict[str, str]]:
    """The grid lives in a frame of its own, which the page's style sheet does not reach."""
    colours = palette(dark)
    return {
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
        '.ag-row[row-index="0"]': {
            "color": f"{colours.accent if named else colours.text} !important"
        },
        ".ag-cell, .ag-header-cell": {"padding-left": "4px", "padding-right": "4px"},
    }
