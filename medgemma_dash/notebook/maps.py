"""The Explain and Compare pages' figures, from explanations alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from medgemma_dash.core.centre_prior import centre_map
from medgemma_dash.core.errors import NoExplanationError
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
from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES, mass_difference
from medgemma_dash.metrics.agreement_controls import judged_pairs
from medgemma_dash.metrics.agreement_square import judged_square
from medgemma_dash.regions import DEFAULT_SCHEME, ZoneScheme, shown_laterality, zone_map, zone_table

JPEG_PX = 600
NOTE_PX = 30


def show(explanation: Explanation, *, dark: bool = False) -> Any:
    """The map over its radiograph, as on the Explain page; of several images each, on one scale.

    Several are drawn cell by cell, also where a method saw finer patches (`fine_images`).
    """
    if len(explanation.images) > 1:
        panels = _panels(explanation, "")
        return comparison_figure(panels, columns=len(panels), dark=dark)
    radiograph = _radiograph(explanation)
    return relevance_figure(
        jpeg_bytes(radiograph.pixels, longest_side=JPEG_PX),
        radiograph.width,
        radiograph.height,
        _grid(explanation),
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
    explanations = _several(explanations)
    panels: list[MapPanel] = []
    for one, title in zip(explanations, _titles(explanations), strict=True):
        panels += _panels(one, title)
    together = max((len(one.images) for one in explanations), default=1)
    columns = max(1, columns // together) * together
    return comparison_figure(panels, scale=scale, columns=columns, dark=dark)


def difference(first: Explanation, second: Explanation, *, dark: bool = False) -> Any:
    """Each map over its mass, one less the other: red where the first puts more.

    Drawn on the first one's radiograph; a line above it says so when the second has another.
    Of several images the mass is that on all of them. Raises ValueError for maps on different
    grids, or of different numbers of images.
    """
    if _grids(first) != _grids(second):
        raise ValueError(f"The maps' grids differ: {_grids(first)} and {_grids(second)}.")
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
    if len(first.images) > 1:
        cells = mass_difference(first.cells[np.newaxis], second.cells[np.newaxis])[0]
        ends = np.cumsum([image.size for image in first.images])[:-1]
        parts = np.split(cells, ends)
        images = [part.reshape(grid) for part, grid in zip(parts, _grids(first), strict=True)]
        drawn = replace(first, images=tuple(images), signed=True)
        return comparison_figure(_panels(drawn, ""), columns=len(images), dark=dark)
    radiograph = _radiograph(first)
    return relevance_figure(
        jpeg_bytes(radiograph.pixels, longest_side=JPEG_PX),
        radiograph.width,
        radiograph.height,
        _grid(first),
        mass_difference(first.image, second.image),
        signed=True,
        laterality=str(shown_laterality(radiograph)),
        dark=dark,
    )


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
    explanations = _several(explanations)
    tables = [
        zone_table(one.image, zone_map(_radiograph(one), _grid(one), scheme))
        for one in explanations
    ]
    for table in tables:
        if not table.rows:
            raise ValueError(table.note)
    shares = {
        _named(title, one.image_names[-1]): [row.share for row in table.rows]
        for title, one, table in zip(_titles(explanations), explanations, tables, strict=True)
    }
    return zone_figure([row.name for row in tables[0].rows], shares, dark)


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
    explanations = _several(explanations)
    several = any(len(one.images) > 1 for one in explanations)
    if several and any(_grids(one) != _grids(explanations[0]) for one in explanations):
        raise ValueError("These explanations are of different numbers or sizes of images.")
    if several and measure == "peak_distance":
        raise ValueError("The peaks of several images have no distance. Take another measure.")
    images = [one.cells[np.newaxis] if several else one.image for one in explanations]
    centres = [centre_map((one.shape[0], one.shape[1])).ravel() for one in explanations[0].images]
    centre = np.concatenate(centres)[np.newaxis] if several else None
    pairs = judged_pairs(images, measure, centre)
    what = AGREEMENT_MEASURES[measure]
    square = judged_square(pairs, len(images), what.best)
    values = square.values
    high = what.high if np.isfinite(what.high) else float(np.nanmax(values)) or 1.0
    titles = _titles(explanations)
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


def layers(explanation: Explanation, is_global: Sequence[bool], *, dark: bool = False) -> Any:
    """Attention to the image by layer; which are global stands in `model.layout.layers`."""
    return layer_figure(explanation.layers, is_global, dark, named=5)


def _several(given: Sequence[Explanation] | Explanation) -> tuple[Explanation, ...]:
    """What was given as explanations; callers in notebooks may give anything."""
    explanations = (given,) if isinstance(given, Explanation) else tuple(given)
    if not explanations:
        raise NoExplanationError("There is no explanation to show. Give one or more of explain().")
    for one in explanations:
        if not isinstance(one, Explanation):
            raise NoExplanationError(
                f"Explanations are shown, not {type(one).__name__}. Give what explain() returned."
            )
    return explanations


def _radiograph(explanation: Explanation) -> Radiograph:
    if explanation.radiograph is None:
        raise ValueError(
            "This explanation has no radiograph at hand; it was read from a table. "
            "Give it one for each image with dataclasses.replace(explanation, radiographs=(...,))."
        )
    return explanation.radiograph


def _panels(explanation: Explanation, title: str) -> list[MapPanel]:
    """One for each image; those of one explanation share its scale."""
    _radiograph(explanation)
    images = explanation.images
    shown = zip(images, explanation.radiographs, explanation.image_names, strict=True)
    return [
        MapPanel(
            title=_named(title, name),
            radiograph_jpeg=jpeg_bytes(radiograph.pixels, longest_side=JPEG_PX),
            width=radiograph.width,
            height=radiograph.height,
            grid=(image.shape[0], image.shape[1]),
            image_map=image,
            signed=explanation.signed,
            caption=explanation.target.text.strip(),
            laterality=str(shown_laterality(radiograph)),
            beside=(*images[:place], *images[place + 1 :]),
        )
        for place, (image, radiograph, name) in enumerate(shown)
    ]


def _named(title: str, image_name: str) -> str:
    return ", ".join(part for part in (title, image_name) if part)


def _grids(explanation: Explanation) -> list[tuple[int, ...]]:
    return [image.shape for image in explanation.images]


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
