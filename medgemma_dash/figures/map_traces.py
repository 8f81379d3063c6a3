"""The parts that every map over a radiograph is made of."""

from base64 import b64encode
from typing import Any

import numpy as np
import numpy.typing as npt
from jaxtyping import Float

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.figures.colour_bars import Limits
from medgemma_dash.figures.palette import overlay_stops, palette
from medgemma_dash.figures.stretching import MapMode, stretched

# What of a radiograph is in sight: left, right, bottom and top, in its pixels.
View = tuple[float, float, float, float]

# Points a cell and side that a smooth map is computed at; between them the browser fills in.
# An odd number: then a cell's centre, where it has its own value, is one of them.
POINTS_A_CELL = 5
# Above every map: Plotly's buttons come into this strip under the mouse, and cover nothing.
TOOLS_PX = 26

_INVISIBLE: dict[str, Any] = {
    "marker": {"symbol": "square", "size": 6, "opacity": 0},
    "selected": {"marker": {"opacity": 0}},
    "unselected": {"marker": {"opacity": 0}},
}

MAP_AXIS: dict[str, Any] = {
    "visible": False,
    "showgrid": False,
    "zeroline": False,
    "constrain": "domain",
}


def map_heatmap(
    cells: PatchGrid,
    image_map: Float[np.ndarray, "rows cols"],
    limits: Limits,
    scale: str,
    *,
    signed: bool,
    mode: MapMode,
    opacity: float,
    threshold: float,
    axes: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The map's values at the cells' centres, see-through where they are small.

    image_map: of the cells, or of the finer patches that they were pooled from.

    A smooth map is interpolated here, as in the exported picture: Plotly's own "best" does the
    same for every pixel of the screen, and thrice for each figure, which is felt in a click.
    """
    low, high = limits
    # A map of patches has as many points of its own.
    finer = image_map.shape != (cells.rows, cells.cols)
    points = POINTS_A_CELL if mode == "smooth" and not finer else 1
    rows, cols = (points * count for count in image_map.shape)
    fine = PatchGrid(rows=rows, cols=cols, height=cells.height, width=cells.width)
    return {
        "type": "heatmap",
        "x": np.array([fine.centre(0, col)[1] for col in range(cols)]),
        "y": np.array([fine.centre(row, 0)[0] for row in range(rows)]),
        "z": stretched(image_map.astype(np.float32), rows, cols, mode),
        "zmin": low,
        "zmax": high,
        "zsmooth": "fast" if mode == "smooth" else False,
        "colorscale": overlay_stops(scale, signed, threshold),
        "opacity": opacity,
        "showscale": False,
        "hoverinfo": "skip",
        **(axes or {}),
    }


def cell_markers(cells: PatchGrid, hover: list[str], *, boxes: bool = False) -> dict[str, Any]:
    """An invisible point a cell: it answers hover and click, which a heatmap cannot.

    Plotly passes heatmap clicks to nobody, and the topmost point alone gets hover: so both
    belong to this trace. boxes: whether a box drawn around points chooses them; only then are
    there markers, which the browser takes its time to draw.
    """
    places, x, y = _centres(cells)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "markers" if boxes else "none",
        # Objects: an array of numbers would reach Python as a mapping from index to value.
        "customdata": np.array(places, dtype=object),
        "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
        **(_INVISIBLE if boxes else {}),
    }


def cell_hover(
    cells: PatchGrid,
    hover: list[str],
    data: npt.NDArray[np.object_],
    template: str,
    axes: dict[str, str],
) -> dict[str, Any]:
    """Points that are hovered over and never clicked: they cost the browser nothing to draw.

    data: what the template may tell of each cell besides its hover text, a row a cell.
    """
    _, x, y = _centres(cells)
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "none",
        "customdata": data,
        "hovertext": hover,
        "hovertemplate": template,
        "showlegend": False,
        **axes,
    }


def _centres(
    cells: PatchGrid,
) -> tuple[list[tuple[int, int]], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    places = [(row, col) for row in range(cells.rows) for col in range(cells.cols)]
    centres = np.array([cells.centre(row, col) for row, col in places])
    return places, centres[:, 1], centres[:, 0]


def background(
    radiograph_jpeg: bytes, cells: PatchGrid, xref: str = "x", yref: str = "y"
) -> dict[str, Any]:
    """The radiograph below everything, in original pixels."""
    return {
        "source": "data:image/jpeg;base64," + b64encode(radiograph_jpeg).decode(),
        "xref": xref,
        "yref": yref,
        "x": 0,
        "y": 0,
        "sizex": cells.width,
        "sizey": cells.height,
        "sizing": "stretch",
        "layer": "below",
    }


def map_layout(dark: bool) -> dict[str, Any]:
    """How every map figure behaves, whatever stands in it."""
    colours = palette(dark)
    return {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        # A slip of the mouse should not move the radiograph out of its frame, as panning would.
        "dragmode": "zoom",
        "clickmode": "event",
        "hovermode": "closest",
        # Without a limit, so that a corner of a zoomed cell still finds its marker.
        "hoverdistance": -1,
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
            "align": "left",
        },
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": colours.muted,
            "activecolor": colours.accent,
        },
        "showlegend": False,
    }
