"""Two maps and their difference, on one scale."""

from dataclasses import replace
from typing import Any

import numpy as np

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.cells import cell_boxes
from medgemma_dash.figures.colour_bars import bar_label, colour_bar
from medgemma_dash.figures.map_traces import background, cell_hover, map_heatmap, map_layout
from medgemma_dash.figures.palette import SIGNED_SCALE, checked_scale, palette, solid_stops
from medgemma_dash.figures.panels import MapPanel, axes_of, panel_axes, panel_labels, title_px
from medgemma_dash.figures.share_maps import share_of_mass
from medgemma_dash.figures.stretching import MapMode

BELOW_PX = 52
DIFFERENCE = "difference"


def map_pair_figure(
    first: MapPanel,
    second: MapPanel,
    *,
    mode: MapMode = "smooth",
    opacity: float = 0.75,
    threshold: float = 0.0,
    colour_scale: str = "Inferno",
    revision: str = "pair",
    dark: bool = True,
    panel_px: int = 190,
) -> Any:
    """Both maps as shares of their relevance, and the second less the first.

    All three reach to the highest share of either map, so that a difference that looks weak is.
    The panels' radiographs may be empty: then there is none below the maps.
    Raises ValueError where one has no map, or their grids differ.
    """
    if first.image_map is None or second.image_map is None:
        raise ValueError("A difference needs two maps.")
    if first.image_map.shape != second.image_map.shape:
        raise ValueError(f"{first.image_map.shape} and {second.image_map.shape}.")
    signed = first.signed or second.signed
    shares = [share_of_mass(one, signed) for one in (first.image_map, second.image_map)]
    difference = shares[1] - shares[0]
    peak = max(float(np.abs(one).max()) for one in shares) or 1.0
    maps = (*shares, difference)
    panels = [
        replace(first, image_map=shares[0], signed=signed),
        replace(second, image_map=shares[1], signed=signed),
        replace(second, title=DIFFERENCE, caption="", image_map=difference, signed=True),
    ]
    layout = map_layout(dark) | {
        "height": panel_px + title_px(panels) + BELOW_PX,
        "margin": {"l": 0, "r": 0, "t": 0, "b": BELOW_PX, "pad": 0},
        "dragmode": False,
        "uirevision": revision,
    }
    values = [
        f"{one:.2%} · {other:.2%} · {gap:+.2%}"
        for one, other, gap in zip(*(one.ravel() for one in maps), strict=True)
    ]
    traces: list[Any] = []
    images, labels, boxes = [], [], []
    for place, (panel, image_map) in enumerate(zip(panels, maps, strict=True)):
        axes = axes_of(place)
        cells = PatchGrid(*panel.grid, height=panel.height, width=panel.width)
        layout |= panel_axes(panels, place, len(panels), 1, panel_px)
        name = checked_scale(colour_scale, panel.signed)
        heatmap = map_heatmap(
            cells,
            image_map,
            (-peak if panel.signed else 0.0, peak),
            name,
            signed=panel.signed,
            mode=mode,
            opacity=opacity,
            threshold=threshold,
            axes=axes,
        )
        if panel.radiograph_jpeg:
            images.append(background(panel.radiograph_jpeg, cells, axes["xaxis"], axes["yaxis"]))
        else:
            heatmap |= {"colorscale": solid_stops(name), "opacity": 1.0}
        traces.append(heatmap)
        traces.append(
            cell_hover(
                cells,
                values,
                np.array([divmod(at, cells.cols) for at in range(len(values))], dtype=object),
                "row %{customdata[0]}, column %{customdata[1]}<br>first · second · difference<br>"
                "<b>%{hovertext}</b><extra></extra>",
                axes,
            )
        )
        labels += _labels(panels, place, panel_px, dark)
        boxes += [
            box | {"xref": axes["xaxis"], "yref": axes["yaxis"]}
            for box in cell_boxes(cells, image_map, panel.signed, (), True)
        ]
    name = checked_scale(colour_scale, signed)
    traces.append(colour_bar((-peak if signed else 0.0, peak), name, {"len": 0.62, "x": 0.32}))
    traces.append(colour_bar((-peak, peak), SIGNED_SCALE, {"len": 0.31, "x": 0.83}))
    labels += [
        bar_label("against" if signed else "0", 0.01, "left", dark),
        bar_label(f"{peak:.1%} of a map's relevance", 0.63, "right", dark),
        bar_label("less", 0.675, "left", dark),
        bar_label(f"±{peak:.1%}", 0.83, "center", dark),
        bar_label("more", 0.985, "right", dark),
        bar_label("□ peak cell, and the largest difference", 0.01, "left", dark, line=1),
    ]
    return unchecked_figure(
        traces, layout | {"images": images, "annotations": labels, "shapes": boxes}
    )


def _labels(panels: list[MapPanel], place: int, panel_px: int, dark: bool) -> list[dict[str, Any]]:
    """As over every panel, with the peak as a share."""
    labels = panel_labels(panels, place, len(panels), 1, panel_px, dark)
    panel = panels[place]
    assert panel.image_map is not None  # noqa: S101  all three have one
    highest = panel.image_map.flat[int(np.abs(panel.image_map).argmax())]
    told = f"{highest:+.1%}" if panel.title == DIFFERENCE else f"peak {highest:.1%}"
    colour = palette(dark).muted
    title = labels[0]["text"].split("<br>")[0]
    labels[0]["text"] = f'{title}<br><span style="font-size:11px;color:{colour}">{told}</span>'
    return labels
