"""The maps side by side, why some are missing, and the quiet controls of their display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.figures import MAGNITUDE_SCALES, MapPanel, comparison_figure
from medgemma_dash.regions import shown_laterality
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.kept_view import kept_view
from medgemma_dash.ui.components.map_display import DEFAULT_OPACITY, chosen_display, displayed_jpeg
from medgemma_dash.ui.components.method_picker import method_options
from medgemma_dash.ui.components.one_of import one_of
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.components.wording import duration
from medgemma_dash.ui.components.zones import chosen_scheme, zone_names, zones_of
from medgemma_dash.ui.pages.compare.pins import PANEL_SIDE_PX, pin_popover
from medgemma_dash.ui.pages.compare.state import (
    COMPARED_PER_ROW,
    COMPARED_SCALE,
    ComparedMap,
    Comparison,
    Pin,
    Pins,
)
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.methods import is_control
from medgemma_dash.ui.state.session import page_state, widget_value

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.figures import ScaleChoice
    from medgemma_dash.ui.components.window_width import WindowWidth
    from medgemma_dash.ui.state.study import Study

# (columns up to, height of a panel): as wide as a laptop's window has room for; one map alone as
# high as it has. In a narrower window a row has fewer, of which each is as wide as there is room.
PANEL_PX: dict[WindowWidth, tuple[tuple[int, int], ...]] = {
    "wide": ((1, 560), (2, 460), (3, 380), (4, 310), (6, 225)),
    "medium": ((1, 560), (2, 330), (3, 230)),
    "narrow": ((1, 340),),
}
IN_A_ROW = "as fit"
SCALES: dict[ScaleChoice, str] = {
    "per panel": "Scale per map",
    "shared": "One scale",
    "clipped": "One scale, clipped",
}


def row_of_maps(count: int, chosen: str, width: WindowWidth) -> tuple[int, int]:
    """How many of `count` maps stand in a row of the window, and how high each is in pixels.

    chosen: the number that the reader chose, or IN_A_ROW; a window takes no more than it has room
    for, since titles would stand on each other.
    """
    sizes = PANEL_PX[width]
    most = sizes[-1][0]
    columns = min(count, most if chosen == IN_A_ROW else int(chosen), most)
    return columns, next(px for upto, px in sizes if columns <= upto)


def comparison_map(study: Study, answer: Answer, comparison: Comparison) -> None:
    """Draw all maps in one figure, pinned ones last."""
    pins = page_state(Pins).maps
    panels = [_panel(study, answer, one) for one in comparison.maps] + [_pinned(p) for p in pins]
    display = chosen_display()
    per_row = widget_value(COMPARED_PER_ROW, IN_A_ROW)
    columns, panel_px = row_of_maps(len(panels), per_row, window_width())
    figure = comparison_figure(
        panels,
        scale=widget_value(COMPARED_SCALE, "per panel"),
        columns=columns,
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        revision=study.radiograph.sha256,
        view=kept_view(
            container="comparison", key="comparison_view", revision=study.radiograph.sha256
        ),
        dark=is_dark(),
        panel_px=panel_px,
    )
    with st.container(key="comparison"):
        chart(
            figure,
            key="comparison_figure",
            alt="Relevance maps side by side: " + ", ".join(panel.title for panel in panels),
            tools=True,
        )
    _missing_maps(comparison)
    with st.container(horizontal=True, key="compare_tools", vertical_alignment="center"):
        one_of(
            "Scale",
            SCALES,
            COMPARED_SCALE,
            SCALES.__getitem__,
            hint="Raw values of different methods have different units. One scale shows each "
            "cell's share of its map's relevance. Clipped, that scale ends at the median of the "
            "maps' peaks: one map that puts all in one cell no longer leaves the others dark.",
        )
        method_options([one.method for one in comparison.maps])
        _display_popover()
        pin_popover(pins, study, answer, comparison)


def _missing_maps(comparison: Comparison) -> None:
    """Why methods have no map, and a way to ask those again that may have one."""
    lines = [
        [Segment(f"{one.title}: "), Segment(one.reason, "small")]
        for one in comparison.maps
        if one.reason
    ]
    if not lines:
        return
    if comparison.curable() and not comparison.awaited:
        lines.append([Segment("compute the missing maps", "action", "again")])
    key = "missing_maps"

    def try_again() -> None:
        if chosen_action(key) == "again":
            comparison.try_again()

    rich_line(lines, key=key, tone="quiet", announce="status", on_choose=try_again)


def _panel(study: Study, answer: Answer, one: ComparedMap) -> MapPanel:
    radiograph = study.radiograph
    seconds = one.explanation.provenance.seconds if one.explanation else 0.0
    return MapPanel(
        title=one.title,
        radiograph_jpeg=displayed_jpeg(study, PANEL_SIDE_PX),
        width=radiograph.width,
        height=radiograph.height,
        grid=answer.grid,
        image_map=one.explanation.image if one.explanation else None,
        signed=bool(one.explanation and one.explanation.signed),
        caption=duration(seconds) if one.explanation else "",
        reason="no map" if one.reason else "computing",
        laterality=str(shown_laterality(radiograph)),
        mark_peak=not is_control(one.method),
        zone_names=zone_names(zones_of(study, answer.grid)),
    )


def _pinned(pin: Pin) -> MapPanel:
    return MapPanel(
        title=f"Pinned: {pin.title}",
        radiograph_jpeg=pin.radiograph_jpeg,
        width=pin.width,
        height=pin.height,
        grid=(pin.explanation.image.shape[0], pin.explanation.image.shape[1]),
        image_map=pin.explanation.image,
        signed=pin.explanation.signed,
        caption=pin.caption,
        laterality=pin.laterality,
        mark_peak=not is_control(pin.explanation.method),
        zone_names=zone_names(pin.zones[chosen_scheme()]),
    )


def _display_popover() -> None:
    popover = st.popover("Display", key="compare_display", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    with popover:
        st.slider(
            "Opacity", 0, 100, DEFAULT_OPACITY, 5, "%d%%", key=keys.OPACITY, persist_state="session"
        )
        st.slider("Hide below", 0, 95, 0, 5, "%d%%", key=keys.THRESHOLD, persist_state="session")
        st.segmented_control(
            "Map drawing",
            ["Smooth", "Grid"],
            default="Smooth",
            required=True,
            key=keys.MODE,
            persist_state="session",
        )
        st.selectbox(
            "Colours of the map", MAGNITUDE_SCALES, key=keys.COLOUR_SCALE, persist_state="session"
        )
        st.segmented_control(
            "Maps in a row",
            [IN_A_ROW, "1", "2", "3", "4"],
            default=IN_A_ROW,
            required=True,
            key=COMPARED_PER_ROW,
            persist_state="session",
        )
