"""Maps that stay on the Compare page while another word, question or radiograph is chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt
import streamlit as st

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.imaging import body_mask
from medgemma_dash.metrics.map_quality import map_quality
from medgemma_dash.regions import ZoneMap, ZoneScheme, shown_laterality, zone_map, zone_table
from medgemma_dash.services.explaining.map_numbers import MapNumbers
from medgemma_dash.services.exporting.subject import film_name, method_words, subject
from medgemma_dash.services.exporting.subject import target_words as explained_words
from medgemma_dash.ui.components.map_display import displayed_jpeg
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.wording import quoted, target_words
from medgemma_dash.ui.components.zones import chosen_scheme, zones_of
from medgemma_dash.ui.pages.compare.state import CompareState, Comparison, Pin
from medgemma_dash.ui.state.methods import is_control
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.ui.state.study import Options, Study

PANEL_SIDE_PX = 420  # of each panel's radiograph; six of them stay well under a megabyte
MOST_PINS = 6


@dataclass(frozen=True)
class ShownMap:
    """A map that is on the page, on the open radiograph or on a pinned one.

    options: the method's, for a map of what is open; a pin's do not matter any more.
    pin: None for what is open.
    """

    title: str
    explanation: Explanation
    options: Options
    zones: ZoneMap
    pin: Pin | None = None

    @property
    def image(self) -> npt.NDArray[np.float32]:
        """(rows, cols), raw."""
        return self.explanation.image

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, cols)."""
        return self.image.shape[0], self.image.shape[1]

    @property
    def control(self) -> bool:
        """Whether its method looks at nothing."""
        return is_control(self.explanation.method)

    @property
    def radiograph(self) -> str:
        """The checksum of the radiograph that it lies on."""
        return self.explanation.provenance.image_sha256

    def numbers(self, study: Study) -> MapNumbers:
        """The map's numbers on its own radiograph; study: what is open."""
        return MapNumbers(
            self.explanation,
            self.pin.quality if self.pin else map_quality(self.image, body_of(study)),
            zone_table(self.image, self.zones),
            self.control,
        )

    def film(self, study: Study) -> str:
        """What its own radiograph is called in files."""
        return self.pin.film if self.pin else film_of(study)


def shown_maps(study: Study, comparison: Comparison, pins: list[Pin]) -> list[ShownMap]:
    """Every map there is, pinned ones last; what is still awaited is left out."""
    maps = [
        ShownMap(
            one.title,
            one.explanation,
            one.options,
            zones_of(study, (one.explanation.image.shape[0], one.explanation.image.shape[1])),
        )
        for one in comparison.maps
        if one.explanation is not None
    ]
    return maps + [
        ShownMap(
            f"Pinned {place}: {pin.title}", pin.explanation, (), pin.zones[chosen_scheme()], pin
        )
        for place, pin in enumerate(pins, 1)
    ]


def about_maps(study: Study, maps: list[ShownMap]) -> list[tuple[str, str]]:
    """What a figure of these maps is of, for its file: their methods, and no other."""
    if not maps:
        return []
    methods = "; ".join(_made_by(one) for one in maps)
    first = subject(maps[0].explanation, (maps[0].film(study),))
    plural = "Methods" if len(maps) > 1 else "Method"
    return [(plural, methods) if name == "Method" else (name, value) for name, value in first]


def _made_by(one: ShownMap) -> str:
    words = method_words(one.explanation.provenance)
    if one.pin is None:
        return words
    prompt = quoted(one.explanation.provenance.prompt)
    return f"{words} (pinned: {one.pin.film}, {prompt}, {explained_words(one.explanation)})"


def film_of(study: Study) -> str:
    """What the open radiograph is called in files."""
    return film_name(study.radiograph, uploaded=study.sample is None)


def body_of(study: Study) -> npt.NDArray[np.bool_]:
    """The body on the open radiograph, found once."""
    state = page_state(CompareState)
    if state.body is None:
        state.body = body_mask(study.radiograph.pixels)
    return state.body


def pin_popover(pins: list[Pin], study: Study, answer: Answer, comparison: Comparison) -> None:
    """A quiet button that opens what can be pinned, and what is."""
    popover = st.popover(
        "Pin a map",
        key="pin_popover",
        on_change="rerun",
        type="tertiary",
        help="A pinned map stays here while you choose another word, question or radiograph.",
    )
    if not popover.open:
        return
    with popover:
        if len(pins) >= MOST_PINS:
            st.caption(f"{MOST_PINS} maps are pinned; take one off first.")
        for one in comparison.maps:
            if one.explanation is not None:
                st.button(
                    f"Pin {one.title}",
                    key=f"pin_{one.method}",
                    disabled=len(pins) >= MOST_PINS,
                    on_click=pin_map,
                    args=(pins, study, answer, one.title, one.explanation),
                )
        for place, pin in enumerate(pins):
            # The model's own words, and so no label or help text, which would read Markdown.
            line = [Segment(f"{place + 1}: {pin.title}, "), Segment(pin.caption, "small")]
            rich_line([line], key=f"pinned_{place}", tone="quiet")
            st.button(
                f"Take off: {place + 1}",
                key=f"unpin_{place}",
                type="tertiary",
                on_click=_unpin,
                args=(pins, place),
            )


def pin_map(
    pins: list[Pin], study: Study, answer: Answer, title: str, explanation: Explanation
) -> None:
    """Keep the map, and what is needed of its radiograph. title: of the method."""
    radiograph, target = study.radiograph, explanation.target
    # "This answer" would be another one by the time that the pin is looked at.
    words = quoted(target.text) if target.kind == "answer" else target_words(answer, target)
    grid = answer.grid
    schemes: tuple[ZoneScheme, ...] = get_args(ZoneScheme)
    pins.append(
        Pin(
            title=f"{title}, {words}",
            caption=quoted(answer.prompt),
            film=film_of(study),
            explanation=replace(explanation, radiographs=()),
            radiograph_jpeg=displayed_jpeg(study, PANEL_SIDE_PX),
            width=radiograph.width,
            height=radiograph.height,
            laterality=str(shown_laterality(radiograph)),
            zones={
                scheme: study.zones.get((scheme, grid)) or zone_map(radiograph, grid, scheme)
                for scheme in schemes
            },
            quality=map_quality(explanation.image, body_of(study)),
        )
    )


def _unpin(pins: list[Pin], place: int) -> None:
    del pins[place]
