"""One map a word on one scale, and what can be left out of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from medgemma_dash.figures import MapPanel, comparison_figure, switched_map
from medgemma_dash.imaging import body_mask, jpeg_bytes
from medgemma_dash.metrics.localisation import mask_coverage
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.words.rows import full_names
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.pages.words.state import BODY, BORDER, CLIP, FilmState
from medgemma_dash.ui.state.session import page_state, widget_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medgemma_dash.services.words.rows import WordRow
    from medgemma_dash.ui.components.window_width import WindowWidth
    from medgemma_dash.ui.state.study import Study

PANEL_SIDE_PX = 420
CLIP_PERCENTILE = 98.0
MOST_MAPS = 24  # in one figure; the others' numbers stand in the table
# (maps up to, columns, height of a panel): as many as there is room for beside the bars.
PANELS: dict[WindowWidth, tuple[tuple[int, int, int], ...]] = {
    "wide": ((1, 1, 440), (2, 2, 380), (3, 3, 250), (4, 4, 190), (6, 3, 176), (24, 4, 170)),
    "medium": ((1, 1, 420), (4, 2, 320), (24, 3, 230)),
    "narrow": ((1, 1, 330), (24, 2, 165)),
}


def word_maps(rows: Sequence[WordRow], film: Study | None, about: list[tuple[str, str]]) -> None:
    """Draw the maps; film: what is open, below those that are of it."""
    shown = rows[:MOST_MAPS]
    if not any(row.map is not None for row in shown):
        return
    count = len(shown)
    columns, panel_px = next(
        (columns, px) for upto, columns, px in PANELS[window_width()] if count <= upto
    )
    display = chosen_display()
    names = full_names(rows)
    chart(
        comparison_figure(
            [_panel(row, name, rows, film) for row, name in zip(shown, names, strict=False)],
            scale="clipped" if widget_value(CLIP, False) else "shared",
            columns=columns,
            mode=display.mode,
            opacity=display.opacity,
            threshold=display.threshold,
            colour_scale=display.colour_scale,
            linked_hover=count <= PANELS["wide"][-2][0],
            revision=film.radiograph.sha256 if film else "no film",
            dark=is_dark(),
            panel_px=panel_px,
            tools=False,
        ),
        key="words_maps",
        alt=f"Relevance maps side by side on one scale, of: {', '.join(names[:count])}.",
        about=about,
    )
    if len(rows) > count:
        st.caption(f"The first {count} of {len(rows)} maps; the table has the numbers of all.")


def map_switches(film: Study | None) -> None:
    """What is left out of the picture; no number changes with them."""
    with st.container(horizontal=True, key="words_switches", vertical_alignment="center"):
        st.toggle(
            "Body only",
            key=BODY,
            disabled=film is None,
            help="The picture leaves out what lies beside the body: each patch keeps the share of "
            "its colour that the body covers. The numbers stay those of the raw map.",
            persist_state="session",
        )
        st.toggle(
            f"Clip at {CLIP_PERCENTILE:.0f}%",
            key=CLIP,
            help=f"The picture shows patches above the {CLIP_PERCENTILE:.0f}th percentile of a "
            "map's own, zeros left out, as that, and the scale ends at the median of the maps' "
            "peaks: one patch no longer leaves the others dark. The numbers stay those of the raw "
            "map.",
            persist_state="session",
        )
        st.toggle(
            "Strip the border",
            key=BORDER,
            help="The picture leaves out the outermost ring of patches, where nothing of the chest "
            "lies. The numbers stay those of the raw map.",
            persist_state="session",
        )


def body_share(film: Study, grid: tuple[int, int]) -> npt.NDArray[np.float64]:
    """(rows, cols): the share of each cell that the body covers, found once for a film."""
    known = page_state(FilmState).body
    if grid not in known:
        known[grid] = mask_coverage(body_mask(film.radiograph.pixels), grid)
    return known[grid]


def _panel(row: WordRow, name: str, rows: Sequence[WordRow], film: Study | None) -> MapPanel:
    grid = _grid(row, rows)
    if film is not None and film.radiograph.sha256 != row.image_sha256:
        film = None
    if film is None:
        # In the patches' own proportions, for the film's are not known.
        height, width = grid[0] * 32, grid[1] * 32
        picture, side = jpeg_bytes(np.zeros((height, width), np.uint8)), "unknown"
    else:
        height, width = film.radiograph.height, film.radiograph.width
        picture = displayed_jpeg(film, PANEL_SIDE_PX)
        side = str(shown_laterality(film.radiograph))
    return MapPanel(
        title=name,
        radiograph_jpeg=picture,
        width=width,
        height=height,
        grid=grid,
        image_map=row.map,
        signed=row.signed,
        caption=row.method,
        reason="no map",
        laterality=side,
        beside=_beside(row, rows),
        tell_peak=False,
        drawn=_drawn(row, film),
    )


def _grid(row: WordRow, rows: Sequence[WordRow]) -> tuple[int, int]:
    """Of the map, or of the first that there is."""
    image = next(one.map for one in (row, *rows) if one.map is not None)
    return image.shape[0], image.shape[1]


def _beside(row: WordRow, rows: Sequence[WordRow]) -> tuple[npt.NDArray[np.float32], ...]:
    """The same explanation's maps of its other images, which share this one's unit and scale."""
    same = (row.word, row.place, row.occurrence)
    return tuple(
        one.map
        for one in rows
        if (one.word, one.place, one.occurrence) == same
        and one.image != row.image
        and one.map is not None
    )


def _drawn(row: WordRow, film: Study | None) -> npt.NDArray[np.float32] | None:
    """The picture's map where a switch changes it."""
    body = film is not None and widget_value(BODY, False)
    clip, border = widget_value(CLIP, False), widget_value(BORDER, False)
    if row.map is None or not (body or clip or border):
        return None
    grid = (row.map.shape[0], row.map.shape[1])
    return switched_map(
        row.map,
        coverage=body_share(film, grid) if film is not None and body else None,
        percentile=CLIP_PERCENTILE if clip else None,
        border=border,
    )
