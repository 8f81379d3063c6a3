"""The maps side by side, the quiet controls of their display, and pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.figures import MAGNITUDE_SCALES, MapPanel, comparison_figure
from medgemma_dash.ui import session as keys
from medgemma_dash.ui.chart import chart
from medgemma_dash.ui.comparison import ComparedMap, Comparison, Pin
from medgemma_dash.ui.map_display import DEFAULT_OPACITY, chosen_display, displayed_jpeg
from medgemma_dash.ui.method_choice import method_options
from medgemma_dash.ui.rich_line import Segment, rich_line
from medgemma_dash.ui.session import Session, Study, current_session, widget_value
from medgemma_dash.ui.theme import is_dark
from medgemma_dash.ui.wording import duration, quoted, target_words
from medgemma_dash.ui.zones import zone_names, zones_of

if TYPE_CHECKING:
    from medgemma_dash.figures import ScaleChoice

PANEL_SIDE_PX = 420  # of each panel's radiograph; six of them stay well under a megabyte
# (columns up to, height of a panel): as wide as a laptop's window has room for.
PANEL_PX = ((3, 380), (4, 310), (6, 225))
MOST_IN_A_ROW = 6
IN_A_ROW = "as fit"
MOST_PINS = 6
SCALES: dict[ScaleChoice, str] = {"per panel": "Scale per map", "shared": "One scale"}


def comparison_map(study: Study, comparison: Comparison) -> None:
    """Draw all maps in one figure, pinned ones last."""
    session = current_session()
    panels = [_panel(study, one) for one in comparison.maps] + [_pinned(p) for p in session.pins]
    display = chosen_display()
    grid = study.answer.grid if study.answer else panels[0].grid
    per_row = widget_value(keys.COMPARED_PER_ROW, IN_A_ROW)
    columns = min(len(panels), MOST_IN_A_ROW if per_row == IN_A_ROW else int(per_row))
    figure = comparison_figure(
        panels,
        scale=widget_value(keys.COMPARED_SCALE, "per panel"),
        columns=columns,
        zone_names=zone_names(zones_of(study, grid)),
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        revision=study.radiograph.sha256,
        dark=is_dark(),
        panel_px=next(px for most, px in PANEL_PX if columns <= most),
    )
    with st.container(key="comparison"):
        chart(
            figure,
            key="comparison_figure",
            alt="Relevance maps side by side: " + ", ".join(panel.title for panel in panels),
            tools=True,
        )
    reasons = [
        [Segment(f"{one.title}: "), Segment(one.reason, "small")]
        for one in comparison.maps
        if one.reason and not one.explanation
    ]
    if reasons:
        rich_line(reasons, key="missing_maps", tone="quiet", announce="status")
    with st.container(horizontal=True, key="compare_tools", vertical_alignment="center"):
        st.segmented_control(
            "Scale",
            list(SCALES),
            default="per panel",
            format_func=SCALES.__getitem__,
            required=True,
            key=keys.COMPARED_SCALE,
            label_visibility="collapsed",
            persist_state="session",
            help="Raw values of different methods have different units. One scale shows each "
            "cell's share of its map's relevance.",
        )
        method_options([one.method for one in comparison.maps])
        _display_popover()
        _pin_popover(session, study, comparison)


def _panel(study: Study, one: ComparedMap) -> MapPanel:
    radiograph = study.radiograph
    seconds = one.explanation.provenance.seconds if one.explanation else 0.0
    return MapPanel(
        title=one.title,
        radiograph_jpeg=displayed_jpeg(study, PANEL_SIDE_PX),
        width=radiograph.width,
        height=radiograph.height,
        grid=study.answer.grid if study.answer else (1, 1),
        image_map=one.explanation.image if one.explanation else None,
        signed=bool(one.explanation and one.explanation.signed),
        caption=duration(seconds) if one.explanation else "",
        reason="no map" if one.reason else "computing",
        laterality=str(radiograph.laterality),
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
            key=keys.COMPARED_PER_ROW,
            persist_state="session",
        )


def _pin_popover(session: Session, study: Study, comparison: Comparison) -> None:
    popover = st.popover(
        "Pin a map",
        key="pin_popover",
        on_change="rerun",
        type="tertiary",
        help="A pinned map stays here while you choose another word, question or radiograph.",
    )
    if not popover.open:
        return
    with popover:
        if len(session.pins) >= MOST_PINS:
            st.caption(f"{MOST_PINS} maps are pinned; take one off first.")
        for one in comparison.maps:
            if one.explanation is not None:
                st.button(
                    f"Pin {one.title}",
                    key=f"pin_{one.method}",
                    disabled=len(session.pins) >= MOST_PINS,
                    on_click=_pin,
                    args=(session, study, one, one.explanation),
                )
        for place, pin in enumerate(session.pins):
            st.button(
                f"Take off: {place + 1}",
                help=f"{pin.title}, {pin.caption}",
                key=f"unpin_{place}",
                type="tertiary",
                on_click=_unpin,
                args=(session, place),
            )


def _pin(session: Session, study: Study, one: ComparedMap, explanation: Explanation) -> None:
    radiograph, answer, target = study.radiograph, study.answer, explanation.target
    assert answer is not None  # noqa: S101  it is explained
    # "This answer" would be another one by the time that the pin is looked at.
    words = quoted(target.text) if target.kind == "answer" else target_words(answer, target)
    session.pins.append(
        Pin(
            title=f"{one.title}, {words}",
            caption=quoted(answer.prompt),
            explanation=explanation,
            radiograph_jpeg=displayed_jpeg(study, PANEL_SIDE_PX),
            width=radiograph.width,
            height=radiograph.height,
            laterality=str(radiograph.laterality),
        )
    )


def _unpin(session: Session, place: int) -> None:
    del session.pins[place]
