"""What hovering over a cell of a comparison tells: its place, and every panel's value there."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.numbers import number
from medgemma_dash.figures.cells import COUNTED
from medgemma_dash.figures.panels import MapPanel, peak_value, relevance_of
from medgemma_dash.figures.words import plain

LONGEST_TITLE = 32
FIRST_VALUE = 2  # after the cell's row and column


def cell_data(
    panels: Sequence[MapPanel], grid: tuple[int, int], *, shares: bool = False
) -> npt.NDArray[np.object_]:
    """(cells, 2 + panels): row, column, and each map's raw value with its share of the peak, or of
    the map's relevance where the colours are such shares.

    The texts are alike in all panels, which differ by their template alone: that keeps figures
    of many panels small. Every panel has a map on this grid.
    """
    rows, cols = grid
    data = np.empty((rows * cols, FIRST_VALUE + len(panels)), dtype=object)
    data[:, 0], data[:, 1] = (axis.ravel().tolist() for axis in np.indices(grid))
    for place, panel in enumerate(panels, FIRST_VALUE):
        assert panel.image_map is not None  # noqa: S101  asked for panels with a map only
        values = panel.image_map.ravel().tolist()
        if shares:
            whole = relevance_of(panel) or 1.0
            data[:, place] = [f"{value / whole:.1%} ({number(value)} raw)" for value in values]
        else:
            peak = abs(peak_value(panel)) or 1.0
            data[:, place] = [f"{number(value)}, {value / peak:.0%} of peak" for value in values]
    return data


def hover_template(panels: Sequence[MapPanel], here: MapPanel) -> str:
    """Plotly's template over `cell_data`; this panel's own line stands out."""
    lines = [f"row %{{customdata[0]}}, column %{{customdata[1]}} ({COUNTED})%{{hovertext}}"]
    for place, panel in enumerate(panels, FIRST_VALUE):
        # In a template a brace would begin a value's name.
        title = plain(panel.title, LONGEST_TITLE).replace("{", "(").replace("}", ")")
        line = f"{title}: %{{customdata[{place}]}}"
        lines.append(f"<b>{line}</b>" if panel is here else line)
    return "<br>".join(lines) + "<extra></extra>"


def zone_suffixes(panel: MapPanel) -> list[str]:
    """What follows a cell's place, as " · Right upper"; nothing outside of the zones."""
    if panel.zone_names is None:
        return [""] * (panel.grid[0] * panel.grid[1])
    return [f" · {plain(name)}" if name else "" for row in panel.zone_names for name in row]
