"""A record on the page, and what there is beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.services.faithfulness.reading import verdicts_of
from medgemma_dash.ui.components.one_of import one_of
from medgemma_dash.ui.pages.faithfulness.state import SHOWN_METHOD, SHOWN_REMOVAL

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.pages.faithfulness.state import Wanted
    from medgemma_dash.ui.state.study import Study


@dataclass(frozen=True)
class Live:
    """What a record that was computed here has at hand: the model, and the answer it is of."""

    host: ModelHost
    answer: Answer
    wanted: Wanted


@dataclass(frozen=True)
class Shown:
    """A record, and the film and model that can be asked about it.

    study: what is open, which may be about another film. live: None for a record of a file.
    """

    record: Record
    study: Study | None
    live: Live | None

    @property
    def film(self) -> Study | None:
        """What is open, if it is the film that the record's maps lie on."""
        asked = tuple(self.record.plan["asked"]["image_sha256s"])
        study = self.study
        return study if study is not None and study.radiograph.sha256 == asked[-1] else None

    @cached_property
    def titles(self) -> dict[str, str]:
        """Of the methods that have a map."""
        every = {one.method: one.title for one in verdicts_of(self.record)}
        return {name: title for name, title in every.items() if name in self.record.maps}

    @property
    def about(self) -> list[tuple[str, str]]:
        """What its figures are of, for their files."""
        asked = self.record.plan["asked"]
        return [
            ("Radiograph", f"sha256 {asked['image_sha256s'][-1]}"),
            ("Question", str(asked["prompt"])),
            ("Tested", str(self.record.plan["target"]["text"]).strip()),
        ]


def shown_removal(record: Record) -> str:
    """The removal whose numbers are looked at; a choice where there are several."""
    dependence = record.tables["dependence"]
    removals = [str(one) for one in dependence.loc[dependence["failure"] == "", "removal"]]
    return _one("Removal", removals, {one: one for one in removals}, SHOWN_REMOVAL)


def shown_method(titles: dict[str, str]) -> str:
    """The method whose map is looked at."""
    return _one("Method", list(titles), titles, SHOWN_METHOD)


def _one(label: str, offered: list[str], words: dict[str, str], key: str) -> str:
    """Of several the one that was chosen, if it is among them."""
    if len(offered) == 1:
        return offered[0]
    if st.session_state.get(key) not in offered:
        st.session_state.pop(key, None)
    return one_of(label, offered, key, words.__getitem__)
