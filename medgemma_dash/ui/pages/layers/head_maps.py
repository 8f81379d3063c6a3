"""Small maps: the heads of a layer, and relevance as it gathers from layer to layer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from medgemma_dash.core.numbers import share_percent
from medgemma_dash.figures import MapPanel, comparison_figure
from medgemma_dash.regions import shown_laterality
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.pages.layers.state import (
    GATHERED_LAYER,
    HEAD_LAYER,
    HEAD_MEASURE,
    LayersState,
)
from medgemma_dash.ui.state.session import give_widget, page_state, widget_value

if TYPE_CHECKING:
    from medgemma_dash.services.layers.view import LayerView
    from medgemma_dash.ui.components.window_width import WindowWidth
    from medgemma_dash.ui.state.study import Study

HEAD_SIDE_PX = 260
LAYER_SIDE_PX = 130
LAYERS_IN_A_ROW = 9
# (columns, height of a panel) of the heads, and of the layers: as many as there is room for.
HEADS: dict[WindowWidth, tuple[int, int]] = {
    "wide": (4, 190),
    "medium": (4, 170),
    "narrow": (2, 165),
}
LAYERS: dict[WindowWidth, tuple[int, int]] = {
    "wide": (LAYERS_IN_A_ROW, 110),
    "medium": (6, 100),
    "narrow": (3, 105),
}


def head_maps(study: Study, view: LayerView, layer: int) -> None:
    """The heads of one layer, those that count most first."""
    layers = len(view.is_global)
    weighted = widget_value(HEAD_MEASURE, "gradient-weighted") == "gradient-weighted"
    slider = page_state(LayersState).slider
    give_widget(_slider_key(slider), layer)
    st.select_slider(
        "Layer",
        list(range(layers)),
        key=_slider_key(slider),
        format_func=lambda index: f"{index}{' (global)' if view.is_global[index] else ''}",
        on_change=_slide,
        args=(slider,),
        persist_state="session",
    )
    shares = (view.weighted_shares if weighted else view.image_shares)[layer]
    order = np.argsort(-shares, kind="stable").tolist()
    what = (
        "its part of all attention that moved the logit"
        if weighted
        else "share of its attention on the image"
    )
    st.caption(f"Heads of layer {layer}, strongest first; under each, {what}")
    framed = page_state(LayersState).head
    panels = [
        replace(
            _panel(
                study,
                f"head {head}",
                share_percent(float(shares[head])),
                view.head_map(layer, head, weighted=weighted),
                HEAD_SIDE_PX,
            ),
            chosen=head == (framed if framed in order else order[0]),
        )
        for head in order
    ]
    columns, panel_px = HEADS[window_width()]
    what = f"heads of layer {layer}"
    _maps(study, panels, columns, panel_px, key="head_maps", what=what)


def _slide(slider: int) -> None:
    state = page_state(LayersState)
    # Streamlit takes the last that it hears of an earlier slider for a change as well.
    if slider == state.slider:
        state.layer, state.head = int(st.session_state[_slider_key(slider)]), None


def _slider_key(slider: int) -> str:
    return f"{HEAD_LAYER}_{slider}"


def gathered_maps(study: Study, view: LayerView) -> None:
    """Relevance after each layer, from the last one to the first, small; and one of them large."""
    layers = len(view.is_global)
    layer = int(widget_value(GATHERED_LAYER, 0))
    give_widget(GATHERED_LAYER, min(layer, layers - 1))
    with st.container(key="gathered_columns"):
        left, right = st.columns([30, 70], gap="medium")
    with left:
        layer = int(
            st.select_slider(
                "Layers folded in, from the last down to",
                list(range(layers - 1, -1, -1)),
                key=GATHERED_LAYER,
                persist_state="session",
            )
        )
        panel = _panel(study, "", "", view.gathered_map(layer), 420)
        what = f"relevance down to layer {layer}"
        _maps(study, [panel], 1, 320, key="gathered_map", what=what, tools=True)
    with right:
        panels = [
            _panel(study, f"{index}", "", view.gathered_map(index), LAYER_SIDE_PX)
            for index in range(layers - 1, -1, -1)
        ]
        st.caption("Chefer relevance after each layer, last layer first; each map by its own peak")
        most, panel_px = LAYERS[window_width()]
        _maps(
            study,
            panels,
            min(most, max(4, -(-layers // 2))),
            panel_px,
            key="gathered_maps",
            what="relevance layer by layer",
        )


def _panel(
    study: Study, title: str, caption: str, image_map: npt.NDArray[np.float32], side_px: int
) -> MapPanel:
    radiograph = study.radiograph
    empty = not image_map.any()
    return MapPanel(
        title=title,
        radiograph_jpeg=displayed_jpeg(study, side_px),
        width=radiograph.width,
        height=radiograph.height,
        grid=(image_map.shape[0], image_map.shape[1]),
        image_map=None if empty else image_map,
        caption=caption,
        reason="nothing" if empty else "",
        laterality=str(shown_laterality(radiograph)),
    )


def _maps(
    study: Study,
    panels: list[MapPanel],
    columns: int,
    panel_px: int,
    *,
    key: str,
    what: str,
    tools: bool = False,
) -> None:
    """tools: Plotly's buttons, which are worth their room above a large map alone."""
    display = chosen_display()
    figure = comparison_figure(
        panels,
        columns=columns,
        linked_hover=False,
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        revision=study.radiograph.sha256,
        dark=is_dark(),
        panel_px=panel_px,
        tools=tools,
    )
    chart(figure, key=key, alt=f"Small maps over the radiograph: {what}.", tools=tools)
