"""One panel of a comparison: its map, its place in the figure, and the words around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.numbers import number
from medgemma_dash.figures.cells import side_labels
from medgemma_dash.figures.map_traces import MAP_AXIS, View
from medgemma_dash.figures.palette import palette
from medgemma_dash.figures.words import plain

TITLE_PX = 44
UNTITLED_PX = 24  # of panels that have no title, but their sides and their peak
GAP = 0.012  # of the figure's width
LONGEST_REASON = 24
SHORTEST_CAPTION, SMALL_LETTER_PX = 10, 6
SIDES_PX = 50  # of R, L and the gaps beside them


@dataclass(frozen=True, eq=False)
class MapPanel:
    """One map of a comparison.

    image_map: float32 (rows, cols), raw; None where there is no map, and `reason` says so in two
        words: the panel has no room for more.
    caption: small print under the title, such as what it cost.
    laterality: the image side of the patient's right; "unknown" draws no R and L.
    zone_names: (rows, cols) names of its own radiograph's zones for the hover text, "" outside
        of them; None tells no zones.
    beside: the same explanation's maps of its other images, which share this one's unit and scale.
    mark_peak: whether a box marks the peak; that of a control means nothing.
    tell_peak: whether its value stands in the small print, where that has room for both.
    drawn: what is coloured in the map's place, such as the map without its border; every number,
        the peak and its box are still the map's own.
    bare: the picture is shown for itself, and no map of it is missed.
    chosen: its title has the colour of what is framed elsewhere on the page.
    """

    title: str
    radiograph_jpeg: bytes
    width: int
    height: int
    grid: tuple[int, int]
    image_map: npt.NDArray[np.float32] | None
    signed: bool = False
    caption: str = ""
    reason: str = ""
    laterality: str = "unknown"
    zone_names: Sequence[Sequence[str]] | None = None
    beside: tuple[npt.NDArray[np.float32], ...] = ()
    mark_peak: bool = True
    tell_peak: bool = True
    drawn: npt.NDArray[np.float32] | None = None
    bare: bool = False
    chosen: bool = False


def has_map(panel: MapPanel) -> bool:
    """Whether there is a map to draw."""
    return panel.image_map is not None


def axes_of(place: int) -> dict[str, str]:
    """Plotly's names of a panel's two axes."""
    number_ = "" if place == 0 else str(place + 1)
    return {"xaxis": f"x{number_}", "yaxis": f"y{number_}"}


def title_px(panels: Sequence[MapPanel]) -> int:
    """What every panel needs above its picture."""
    return TITLE_PX if any(panel.title for panel in panels) else UNTITLED_PX


def _box_of(
    place: int, columns: int, rows: int, panel_px: int, above_px: int
) -> tuple[float, float, float]:
    """(left, bottom, top) of a panel's picture, as shares of the plot; its width is alike."""
    row, column = divmod(place, columns)
    line = panel_px + above_px
    top = 1 - (row * line + above_px) / (rows * line)
    return column / columns, 1 - (row + 1) / rows, top


def panel_axes(
    panels: Sequence[MapPanel],
    place: int,
    columns: int,
    rows: int,
    panel_px: int,
    view: View | None = None,
) -> dict[str, Any]:
    """Both axes of a panel; a radiograph of the same size as an earlier one zooms with it.

    view: the zoom of the first panel, as (left, right, bottom, top) in its pixels.
    """
    panel = panels[place]
    left, bottom, top = _box_of(place, columns, rows, panel_px, title_px(panels))
    leader = next(
        index
        for index, other in enumerate(panels)
        if (other.width, other.height) == (panel.width, panel.height)
    )
    whole = (0, panel.width, panel.height, 0)
    x0, x1, y0, y1 = view if view is not None and leader == 0 else whole
    axes, led = axes_of(place), axes_of(leader)
    x = MAP_AXIS | {
        "domain": [left, left + 1 / columns - GAP],
        "range": [x0, x1],
        "anchor": axes["yaxis"],
    }
    y = MAP_AXIS | {
        "domain": [bottom, top],
        "range": [y0, y1],
        "anchor": axes["xaxis"],
        "scaleanchor": axes["xaxis"],
        "scaleratio": 1,
        "constraintoward": "top",
    }
    if leader != place:
        x["matches"], y["matches"] = led["xaxis"], led["yaxis"]
        del y["scaleanchor"], y["scaleratio"]
    suffix = axes["xaxis"][1:]
    return {f"xaxis{suffix}": x, f"yaxis{suffix}": y}


def panel_labels(
    panels: Sequence[MapPanel],
    place: int,
    columns: int,
    rows: int,
    panel_px: int,
    dark: bool,
    *,
    shares: bool = False,
) -> list[dict[str, Any]]:
    """A panel's title, caption, sides, and the two words that stand in place of a map.

    shares: whether the peak is told as the share of its map's relevance that the colours are.
    """
    panel, colours = panels[place], palette(dark)
    left, bottom, top = _box_of(place, columns, rows, panel_px, title_px(panels))
    centre = left + (1 / columns - GAP) / 2
    title = f"<b>{plain(panel.title, 60)}</b><br>" if panel.title else ""
    peak = (
        peak_words(panel, shares=shares) if panel.image_map is not None and panel.tell_peak else ""
    )
    # A pin's question would stand on R and L, between which this line has its room.
    room = max(SHORTEST_CAPTION, (panel_px - SIDES_PX) // SMALL_LETTER_PX - len(peak))
    small = " · ".join(part for part in (plain(panel.caption, room), peak) if part)
    text = f'{title}<span style="font-size:11px;color:{colours.muted}">{small or " "}</span>'
    labels: list[dict[str, Any]] = [
        {
            "text": text,
            "xref": "paper",
            "yref": "paper",
            "x": centre,
            "y": top,
            "xanchor": "center",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": 13, "color": colours.accent if panel.chosen else colours.text},
        }
    ]
    axes = axes_of(place)
    labels += side_labels(
        panel.laterality, size=12, colour=colours.text, xref=axes["xaxis"], yref=axes["yaxis"]
    )
    if panel.image_map is None and not panel.bare:
        labels.append(
            {
                "text": plain(panel.reason, LONGEST_REASON) or "no map",
                "xref": "paper",
                "yref": "paper",
                "x": centre,
                "y": (bottom + top) / 2,
                "xanchor": "center",
                "yanchor": "middle",
                "showarrow": False,
                "bgcolor": colours.panel,
                "bordercolor": colours.line,
                "borderpad": 6,
                "font": {"size": 12, "color": colours.text},
            }
        )
    return labels


def relevance_of(panel: MapPanel) -> float:
    """The sum of its magnitudes, over all images of its explanation; of its positive part unless
    it is signed. For panels with a map.
    """
    assert panel.image_map is not None  # noqa: S101  asked for panels with a map only
    maps = [one if panel.signed else one.clip(0) for one in (panel.image_map, *panel.beside)]
    return sum(float(np.abs(one, dtype=np.float64).sum()) for one in maps)


def peak_words(panel: MapPanel, *, shares: bool = False) -> str:
    """The value at the peak, raw or as a share; of a signed map also the highest of the other
    sign, since numbers of such a map are of its positive part. For panels with a map.
    """
    whole = (relevance_of(panel) or 1.0) if shares else 1.0
    told = "{:.1%}".format if shares else number
    peak = peak_value(panel)
    said = f"peak {told(peak / whole)}"
    if not panel.signed or panel.image_map is None:
        return said
    name, other = ("for", panel.image_map.max()) if peak < 0 else ("against", panel.image_map.min())
    return f"{said}, {name} {told(float(other) / whole)}" if float(other) * peak < 0 else said


def peak_value(panel: MapPanel) -> float:
    """The raw value at the peak; for panels with a map."""
    assert panel.image_map is not None  # noqa: S101  asked for panels with a map only
    heights = np.abs(panel.image_map) if panel.signed else panel.image_map
    return float(panel.image_map.flat[int(np.argmax(heights))])
