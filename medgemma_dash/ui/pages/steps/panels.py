"""Maps of the page as panels over the open film."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from medgemma_dash.figures import MapPanel, comparison_figure
from medgemma_dash.regions import shown_laterality
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from medgemma_dash.figures import ScaleChoice
    from medgemma_dash.ui.state.study import Study

SIDE_PX = 400


def film_panel(
    study: Study,
    title: str,
    image_map: npt.NDArray[np.float32],
    *,
    caption: str = "",
    signed: bool = False,
    empty: str = "empty",
) -> MapPanel:
    """A map over the film; one with nothing in it says so."""
    radiograph = study.radiograph
    return MapPanel(
        title=title,
        radiograph_jpeg=displayed_jpeg(study, SIDE_PX),
        width=radiograph.width,
        height=radiograph.height,
        grid=(image_map.shape[0], image_map.shape[1]),
        image_map=image_map if image_map.any() else None,
        signed=signed,
        caption=caption,
        reason=empty,
        laterality=str(shown_laterality(radiograph)),
    )


def film_panels(
    study: Study,
    panels: Sequence[MapPanel],
    *,
    key: str,
    alt: str,
    scale: ScaleChoice | Literal["per panel"] = "per panel",
    columns: int = 3,
    panel_px: int = 230,
) -> None:
    """Draw them side by side; in a narrow window one or two beside each other."""
    display = chosen_display()
    figure = comparison_figure(
        panels,
        scale=scale,
        columns=columns if window_width() != "narrow" else min(columns, 2),
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        revision=study.radiograph.sha256,
        dark=is_dark(),
        panel_px=panel_px if window_width() != "narrow" else min(panel_px, 165),
        tools=False,
    )
    chart(figure, key=key, alt=alt)
