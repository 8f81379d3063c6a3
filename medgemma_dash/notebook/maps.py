"""The Explain and Compare pages' figures, from explanations alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.figures import (
    MapPanel,
    ScaleChoice,
    comparison_figure,
    layer_figure,
    pair_figure,
    palette,
    relevance_figure,
    zone_figure,
)
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.methods import get
from medgemma_dash.metrics.agreement import (
    AGREEMENT_MEASURES,
    agreement_matrix,
    divergence_in_words,
    mass_difference,
)
from medgemma_dash.regions import DEFAULT_SCHEME, ZoneScheme, zone_map, zone_table

JPEG_PX = 600
NOTE_PX = 30


def show(explanation: Explanation, *, dark: bool = False) -> Any:
    """The map over its radiograph, as on the Explain page."""
    radiograph = _radiograph(explanation)
    return relevance_figure(
        jpeg_bytes(radiograph.pixels, longest_side=JPEG_PX),
        radiograph.width,
        radiograph.height,
        _grid(explanation),
        explanation.image,
        signed=explanation.signed,
        laterality=str(radiograph.laterality),
        dark=dark,
        fine=explanation.fine,
    )


def compare(
    explanations: Sequence[Explanation],
    *,
    scale: ScaleChoice = "per panel",
    columns: int = 3,
    dark: bool = False,
) -> Any:
    """Maps side by side with one zoom, as on the Compare page."""
    panels = []
    for one, title in zip(explanations, _titles(explanations), strict=True):
        radiograph = _radiograph(one)
        panels.append(
            MapPanel(
                title=title,
                radiograph_jpeg=jpeg_bytes(radiograph.pixels, longest_side=JPEG_PX),
                width=radiograph.width,
                height=radiograph.height,
                grid=_grid(one),
                image_map=one.image,
                signed=one.signed,
                caption=one.target.text.strip(),
                laterality=str(radiograph.laterality),
            )
        )
    return comparison_figure(panels, scale=scale, columns=columns, dark=dark)


def difference(first: Explanation, second: Explanation, *, dark: bool = False) -> Any:
    """Each map over its mass, one less the other: red where the first puts more.

    Drawn on the first one's radiograph; a line above it says so when the second has another.
    Raises ValueError for maps on different grids.
    """
    if _grid(first) != _grid(second):
        raise ValueError(f"The maps' grids differ: {_grid(first)} and {_grid(second)}.")
    radiograph = _radiograph(first)
    figure = relevance_figure(
        jpeg_bytes(radiograph.pixels, longest_side=JPEG_PX),
        radiograph.width,
        radiograph.height,
        _grid(first),
        mass_difference(first.image, second.image),
        signed=True,
        laterality=str(radiograph.laterality),
        dark=dark,
    )
    if first.provenance.image_sha256 != second.provenance.image_sha256:
        figure.update_layout(
            margin_t=NOTE_PX,
            title={
                "text": "The second map is of another radiograph: cells are paired by place alone.",
                "font": {"size": 13, "color": palette(dark).text},
                "x": 0,
            },
        )
    return figure


def zones(
    explanations: Sequence[Explanation], *, scheme: ZoneScheme = DEFAULT_SCHEME, dark: bool = False
) -> Any:
    """Share of each map's mass in each lung zone."""
    tables = [
        zone_table(one.image, zone_map(_radiograph(one), _grid(one), scheme))
        for one in explanations
    ]
    shares = {
        title: [row.share for row in table.rows]
        for title, table in zip(_titles(explanations), tables, strict=True)
    }
    return zone_figure([row.name for row in tables[0].rows], shares, dark)


def agreements(
    explanations: Sequence[Explanation], measure: str = "divergence", *, dark: bool = False
) -> Any:
    """A measure of `metrics.agreement` for every pair of maps; hovering tells it in words.

    Raises ValueError that lists the measures.
    """
    images = [one.image for one in explanations]
    values, divergences = (agreement_matrix(images, name) for name in (measure, "divergence"))
    what = AGREEMENT_MEASURES[measure]
    high = what.high if np.isfinite(what.high) else float(np.nanmax(values)) or 1.0
    titles = _titles(explanations)
    return pair_figure(
        titles,
        values,
        what.title,
        low=what.low,
        high=high,
        best=what.best,
        words=[[divergence_in_words(value) for value in row] for row in divergences.tolist()],
        dark=dark,
    )


def layers(explanation: Explanation, is_global: Sequence[bool], *, dark: bool = False) -> Any:
    """Attention to the image by layer; which are global stands in `model.layout.layers`."""
    return layer_figure(explanation.layers, is_global, dark, named=5)


def _radiograph(explanation: Explanation) -> Radiograph:
    if explanation.radiograph is None:
        raise ValueError(
            "This explanation has no radiograph at hand; it was read from a table. "
            "Give it one with dataclasses.replace(explanation, radiograph=...)."
        )
    return explanation.radiograph


def _grid(explanation: Explanation) -> tuple[int, int]:
    return explanation.image.shape[0], explanation.image.shape[1]


def _titles(explanations: Sequence[Explanation]) -> list[str]:
    """The methods' titles; numbered where a method comes more than once."""
    titles: list[str] = []
    for one in explanations:
        title = get(one.method).spec.title
        same = sum(known.partition(" #")[0] == title for known in titles)
        titles.append(f"{title} #{same + 1}" if same else title)
    return titles
