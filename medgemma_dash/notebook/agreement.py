"""How alike maps are: their difference on the film, and every pair of them in one figure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medgemma_dash.core.centre_prior import centre_map
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.figures import pair_figure, palette
from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES, mass_difference
from medgemma_dash.metrics.agreement_controls import judged_pairs
from medgemma_dash.metrics.agreement_square import judged_square
from medgemma_dash.notebook.maps import show
from medgemma_dash.notebook.panels import grids, several, titles_of

NOTE_PX = 30


def difference(first: Explanation, second: Explanation, *, dark: bool = False) -> Any:
    """Each map over its mass, one less the other: red where the first puts more.

    Drawn on the first one's radiograph; a line above it says so when the second has another.
    Of several images the mass is that on all of them. Raises ValueError for maps on different
    grids, or of different numbers of images.
    """
    if grids(first) != grids(second):
        raise ValueError(f"The maps' grids differ: {grids(first)} and {grids(second)}.")
    figure = _one_difference(first, second, dark)
    if first.provenance.image_sha256s != second.provenance.image_sha256s:
        figure.update_layout(
            height=figure.layout.height + NOTE_PX,
            margin_t=figure.layout.margin.t + NOTE_PX,
            title={
                "text": "The second map is of another radiograph: cells are paired by place alone.",
                "font": {"size": 13, "color": palette(dark).text},
                "x": 0,
                "y": 1,
                "yanchor": "top",
                "pad": {"t": 4},
            },
        )
    return figure


def _one_difference(first: Explanation, second: Explanation, dark: bool) -> Any:
    cells = mass_difference(first.cells[np.newaxis], second.cells[np.newaxis])[0]
    ends = np.cumsum([image.size for image in first.images])[:-1]
    parts = np.split(cells, ends)
    images = [part.reshape(grid) for part, grid in zip(parts, grids(first), strict=True)]
    return show(replace(first, images=tuple(images), signed=True, fine_images=()), dark=dark)


def agreements(
    explanations: Sequence[Explanation] | Explanation,
    measure: str = "divergence",
    *,
    dark: bool = False,
) -> Any:
    """A measure of `metrics.agreement` for every pair of maps, over the band of controls; bold
    where the maps are clearly more alike than those (see `metrics.agreement_controls`).

    Of several images the maps are compared as one, cell by cell. Raises ValueError that lists the
    measures, for the distance of two peaks, which is one within a single image, and for maps of
    several images on different grids, and NoExplanationError without an explanation.
    """
    explanations = several(explanations)
    together = any(len(one.images) > 1 for one in explanations)
    if together and any(grids(one) != grids(explanations[0]) for one in explanations):
        raise ValueError("These explanations are of different numbers or sizes of images.")
    if together and measure == "peak_distance":
        raise ValueError("The peaks of several images have no distance. Take another measure.")
    images = [one.cells[np.newaxis] if together else one.image for one in explanations]
    centres = [centre_map((one.shape[0], one.shape[1])).ravel() for one in explanations[0].images]
    centre = np.concatenate(centres)[np.newaxis] if together else None
    pairs = judged_pairs(images, measure, centre)
    what = AGREEMENT_MEASURES[measure]
    square = judged_square(pairs, len(images), what.best)
    values = square.values
    high = what.high if np.isfinite(what.high) else float(np.nanmax(values)) or 1.0
    titles = titles_of(explanations)
    return pair_figure(
        titles,
        values,
        what.title,
        low=what.low,
        high=high,
        best=what.best,
        words=square.words(measure),
        bands=square.bands,
        clear=square.clear,
        dark=dark,
    )
