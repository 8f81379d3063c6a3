"""Several maps side by side in one figure, with one zoom and one labelled scale."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.core.numbers import number
from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.cells import Cell, cell_boxes, has_peak
from medgemma_dash.figures.colour_bars import LINE_PX, Limits, bar_label, colour_bar, peak_label
from medgemma_dash.figures.map_traces import (
    TOOLS_PX,
    View,
    background,
    cell_hover,
    map_heatmap,
    map_layout,
)
from medgemma_dash.figures.palette import checked_scale, colour_range
from medgemma_dash.figures.panel_hover import cell_data, hover_template, zone_suffixes
from medgemma_dash.figures.panels import (
    MapPanel,
    axes_of,
    has_map,
    panel_axes,
    panel_labels,
    relevance_of,
    title_px,
)
from medgemma_dash.figures.stretching import MapMode

ScaleChoice = Literal["shared", "clipped", "per panel"]

BAR_SPACE_PX = 36


def comparison_figure(
    panels: Sequence[MapPanel],
    *,
    scale: ScaleChoice = "per panel",
    columns: int = 3,
    mode: MapMode = "smooth",
    opacity: float = 0.75,
    threshold: float = 0.0,
    colour_scale: str = "Inferno",
    selected_cells: Sequence[Cell] = (),
    linked_hover: bool = True,
    revision: str = "comparison",
    view: View | None = None,
    dark: bool = True,
    panel_px: int = 300,
    tools: bool = True,
) -> go.Figure:
    """Draw the panels in rows; radiographs of one size zoom together.

    Raw values of different methods have different units. "per panel" therefore colours each map
    by its own peak, which its caption names; "shared" divides each map by the sum of its
    magnitudes first, so that one scale, the share of a map's relevance, serves all, and captions
    and hover texts tell that share; "clipped" does the same and ends that scale at the median of
    the maps' peaks. The images of
    one explanation (`MapPanel.beside`) have one unit: its peak and its sum are of all of them.
    tools: whether Plotly's buttons need room above the panels.
    view: (left, right, bottom, top) in pixels of the first panel, to keep a zoom across figures.
    Hovering over a cell tells what every panel of the same grid has there; without
    `linked_hover`, for many small panels, what this one has.
    Raises ValueError for no panel at all, or a map or zones that do not fit their grid.
    """
    if not panels:
        raise ValueError("A comparison needs at least one panel.")
    for panel in panels:
        for one in (panel.image_map, panel.drawn):
            if one is not None and one.shape != panel.grid:
                raise ValueError(f"{panel.title}: {one.shape} is not {panel.grid}.")
        zones = panel.zone_names
        if zones is not None and [len(row) for row in zones] != panel.grid[0] * [panel.grid[1]]:
            raise ValueError(f"{panel.title}: the zones do not fit a grid of {panel.grid}.")
    shares = scale != "per panel"
    shown = [_scaled(panel, scale) for panel in panels]
    limits = _limits(panels, shown, scale)
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    traces: list[Any] = []
    data: dict[tuple[MapPanel, ...], npt.NDArray[np.object_]] = {}
    peaks = any(panel.mark_peak and has_peak(panel.image_map) for panel in panels)
    below = BAR_SPACE_PX + (LINE_PX if peaks or shares else 0)
    above = TOOLS_PX if tools else 0
    layout = map_layout(dark) | {
        "height": above + rows * (panel_px + title_px(panels)) + below,
        "margin": {"l": 0, "r": 0, "t": above, "b": below, "pad": 0},
        "uirevision": revision,
    }
    images, labels, boxes = [], [], []
    bars: set[bool] = set()
    for place, panel in enumerate(panels):
        axes = axes_of(place)
        cells = PatchGrid(*panel.grid, height=panel.height, width=panel.width)
        layout |= panel_axes(panels, place, columns, rows, panel_px, view)
        images.append(background(panel.radiograph_jpeg, cells, axes["xaxis"], axes["yaxis"]))
        labels += panel_labels(panels, place, columns, rows, panel_px, dark, shares=shares)
        image_map, ends = shown[place], limits[place]
        if image_map is not None and ends is not None:
            name = checked_scale(colour_scale, panel.signed)
            traces.append(
                map_heatmap(
                    cells,
                    image_map,
                    ends,
                    name,
                    signed=panel.signed,
                    mode=mode,
                    opacity=opacity,
                    threshold=threshold,
                    axes=axes,
                )
            )
        told = tuple(
            one
            for one in (panels if linked_hover else [panel])
            if one.grid == panel.grid and has_map(one)
        )
        if told not in data:
            data[told] = cell_data(told, panel.grid, shares=shares)
        template = hover_template(told, panel)
        traces.append(cell_hover(cells, zone_suffixes(panel), data[told], template, axes))
        if ends is not None and panel.signed not in bars:
            bars.add(panel.signed)
            both = len({one.signed for one in panels if has_map(one)}) == 2
            name = checked_scale(colour_scale, panel.signed)
            traces.append(colour_bar(ends, name, _bar(panel.signed, both=both), axes))
        boxes += [
            box | {"xref": axes["xaxis"], "yref": axes["yaxis"]}
            for box in cell_boxes(
                cells,
                image_map if panel.drawn is None else panel.image_map,
                panel.signed,
                selected_cells,
                panel.mark_peak,
            )
        ]
    labels += _bar_labels(panels, limits, scale, dark)
    if peaks:
        labels.append(peak_label(dark))
    layout |= {"images": images, "annotations": labels, "shapes": boxes}
    return unchecked_figure(traces, layout)


def _scaled(panel: MapPanel, scale: ScaleChoice) -> npt.NDArray[np.float32] | None:
    drawn = panel.image_map if panel.drawn is None else panel.drawn
    if panel.image_map is None or drawn is None or scale == "per panel":
        return drawn
    coloured = drawn if panel.signed else drawn.clip(0)
    whole = relevance_of(panel) or 1.0
    shares: npt.NDArray[np.float32] = (coloured / whole).astype(np.float32)
    return shares


def _limits(
    panels: Sequence[MapPanel],
    shown: Sequence[npt.NDArray[np.float32] | None],
    scale: ScaleChoice,
) -> list[Limits | None]:
    # On the shared scale the other images' panels bring their own shares.
    own = [
        None
        if image_map is None
        else colour_range(image_map, panel.signed, panel.beside if scale == "per panel" else ())
        for panel, image_map in zip(panels, shown, strict=True)
    ]
    if scale == "per panel":
        return own
    peaks = [ends[1] for ends in own if ends is not None] or [1.0]
    peak = float(np.median(peaks)) if scale == "clipped" else max(peaks)
    return [
        None if ends is None else (-peak if panel.signed else 0.0, peak)
        for panel, ends in zip(panels, own, strict=True)
    ]


def _bar(signed: bool, *, both: bool) -> dict[str, Any]:
    if not both:
        return {}
    return {"len": 0.47, "x": 0.765 if signed else 0.235}


def _bar_labels(
    panels: Sequence[MapPanel], limits: Sequence[Limits | None], scale: ScaleChoice, dark: bool
) -> list[dict[str, Any]]:
    """What the colours mean, under the bar or bars."""
    kinds = {panel.signed for panel in panels if has_map(panel)}
    peak = max((ends[1] for ends in limits if ends is not None), default=1.0)
    whole = "explanation" if any(panel.beside for panel in panels) else "panel"
    alone = len(panels) == 1 and not panels[0].beside
    most = number(peak) if alone else f"each {whole}'s peak"
    half = number(peak / 2) if alone else "half"
    both = len(kinds) == 2
    labels = []
    if scale != "per panel" and kinds:
        most, half = f"{'≥ ' if scale == 'clipped' else ''}{peak:.1%}", f"{peak / 2:.1%}"
        labels.append(bar_label("shares of each map's relevance", 1.0, "right", dark, line=1))
    if False in kinds:
        stop = 0.47 if both else 1.0
        labels += [
            bar_label("0", 0.0, "left", dark),
            # Half a figure has no room for a third.
            *([] if both else [bar_label(half, 0.5, "center", dark)]),
            bar_label(most, stop, "right", dark),
        ]
    if True in kinds:
        start = 0.53 if both else 0.0
        labels += [
            bar_label("against", start, "left", dark),
            bar_label("0", (start + 1) / 2, "center", dark),
            bar_label("for" if both else f"for, {most}", 1.0, "right", dark),
        ]
    return labels
