"""The Explain and Compare pages' figures, from explanations alone."""

from collections.abc import Sequence
from typing import Any

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.figures import (
    MapPanel,
    ScaleChoice,
    comparison_figure,
    layer_figure,
    relevance_figure,
    zone_figure,
)
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.notebook.panels import (
    JPEG_PX,
    film_of,
    grid,
    named,
    panels_of,
    several,
    titles_of,
)
from medgemma_dash.regions import DEFAULT_SCHEME, ZoneScheme, shown_laterality, zone_map, zone_table


def show(explanation: Explanation, *, dark: bool = False) -> Any:
    """The map over its radiograph, as on the Explain page; of several images each, on one scale.

    Several are drawn cell by cell, also where a method saw finer patches (`fine_images`).
    """
    if len(explanation.images) > 1:
        panels = panels_of(explanation, "")
        return comparison_figure(panels, columns=len(panels), dark=dark)
    radiograph = film_of(explanation)
    return relevance_figure(
        jpeg_bytes(radiograph.pixels, longest_side=JPEG_PX),
        radiograph.width,
        radiograph.height,
        grid(explanation),
        explanation.image,
        signed=explanation.signed,
        laterality=str(shown_laterality(radiograph)),
        dark=dark,
        fine=explanation.fine,
    )


def compare(
    explanations: Sequence[Explanation] | Explanation,
    *,
    scale: ScaleChoice = "per panel",
    columns: int = 3,
    dark: bool = False,
) -> Any:
    """Maps side by side with one zoom, as on the Compare page.

    Of several images each, on the explanation's own scale. `columns` is made a multiple of them, so
    that those of an explanation stand in one line where all explanations have as many. Raises
    NoExplanationError without an explanation.
    """
    explanations = several(explanations)
    panels: list[MapPanel] = []
    for one, title in zip(explanations, titles_of(explanations), strict=True):
        panels += panels_of(one, title)
    together = max((len(one.images) for one in explanations), default=1)
    columns = max(1, columns // together) * together
    return comparison_figure(panels, scale=scale, columns=columns, dark=dark)


def zones(
    explanations: Sequence[Explanation] | Explanation,
    *,
    scheme: ZoneScheme = DEFAULT_SCHEME,
    dark: bool = False,
) -> Any:
    """Share of each map's mass in each lung zone; of several images in those of the current one,
    as the legend says. One explanation may come without a list.

    Raises NoExplanationError without an explanation, and ValueError where a picture has no zones,
    and says why.
    """
    explanations = several(explanations)
    tables = [
        zone_table(one.image, zone_map(film_of(one), grid(one), scheme)) for one in explanations
    ]
    for table in tables:
        if not table.rows:
            raise ValueError(table.note)
    shares = {
        named(title, one.image_names[-1]): [row.share for row in table.rows]
        for title, one, table in zip(titles_of(explanations), explanations, tables, strict=True)
    }
    return zone_figure([row.name for row in tables[0].rows], shares, dark)


def layers(explanation: Explanation, is_global: Sequence[bool], *, dark: bool = False) -> Any:
    """Attention to the image by layer; which are global stands in `model.layout.layers`."""
    return layer_figure(explanation.layers, is_global, dark, named=5)
