"""Faithfulness at a glance, on demand: does the answer change when what a map marks is removed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.services.faithfulness.tasks import TEST, faithfulness_task
from medgemma_dash.ui.components.job_watch import watch
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.wording import probability, quoted, target_words
from medgemma_dash.ui.pages.compare.state import Comparison
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.target import Target
    from medgemma_dash.metrics.faithfulness import FaithfulnessTable
    from medgemma_dash.services.runtime.host import ModelHost

LITTLE_DEPENDENCE = 0.05
# Of a probability; less is not told from rounding, and comparing it with chance says nothing.
LEAST_LOSS = 0.0005

COLUMNS = {
    "comprehensiveness": st.column_config.NumberColumn(
        format="%.3f", help="p(word) less p(word without the top 20% of cells): high is good"
    ),
    "above random": st.column_config.NumberColumn(
        format="percent",
        help="Share of the ten random choices whose comprehensiveness is lower; – for a map whose "
        "patches cost the word less than 0.0005 of its probability, where being above chance "
        "would say nothing.",
    ),
    "sufficiency": st.column_config.NumberColumn(
        format="%.3f", help="p(word) less p(word with the top 20% only): low is good"
    ),
}


def faithfulness_table(host: ModelHost, answer: Answer, comparison: Comparison) -> None:
    """The table, a button that asks for it, or its progress."""
    jobs = current_session().jobs
    shown = [one for one in comparison.maps if one.explanation is not None]
    key = tuple((one.method, one.options) for one in shown)
    taken = jobs.take(TEST)
    if taken is not None:
        tested, maps = taken.about
        if taken.job.result is not None and tested == (comparison.answer_key, comparison.target):
            comparison.faithfulness = maps, taken.job.result
        elif taken.job.error is not None:
            rich_line([[Segment(str(taken.job.error))]], key="test_problem", tone="caution")
    if TEST in jobs:
        watch(TEST)
        return
    known = comparison.faithfulness
    if known is None or known[0] != key:
        if st.button("Test these maps", key="test_faithfulness", type="primary"):
            images = [one.explanation.cells for one in shown if one.explanation is not None]
            tested = comparison.answer_key, comparison.target
            jobs.run(
                host, faithfulness_task(answer, comparison.target, images), about=(tested, key)
            )
            st.rerun()
        st.caption(
            "Replaces the top 20% of each map's cells by the mean image token, and measures what "
            "the word's probability loses; beside ten random choices of as many cells. Of equal "
            "cells the upper ones are taken: a map with fewer positive cells than that is filled "
            "up from the top of the picture."
        )
        _contrast_line(answer, comparison.target)
        return
    _table(known[1], [one.title for one in shown])
    _contrast_line(answer, comparison.target)


def _contrast_line(answer: Answer, target: Target) -> None:
    """The test watches a probability, which a contrast has none of."""
    if target.against is None:
        return
    word, other = target_words(answer, target), quoted(target.against.text)
    line = [
        Segment("The maps say why "),
        Segment(word, "word"),
        Segment(" rather than "),
        Segment(other, "word"),
        Segment("; the test watches the probability of "),
        Segment(word, "word"),
        Segment(" alone."),
    ]
    rich_line([line], key="contrast_not_tested", tone="quiet")


def told_above_random(found: FaithfulnessTable, place: int) -> float | None:
    """What the table says of a map beside chance; None where its patches cost next to nothing."""
    small = abs(found.maps[place].comprehensiveness) < LEAST_LOSS
    return None if small else found.above_random(place)


def _table(found: FaithfulnessTable, titles: list[str]) -> None:
    mean = found.random_mean
    rows = [
        (title, one.comprehensiveness, told_above_random(found, place), one.sufficiency)
        for place, (title, one) in enumerate(zip(titles, found.maps, strict=True))
    ]
    rows.append(("mean of 10 random choices", mean.comprehensiveness, None, mean.sufficiency))
    frame = pd.DataFrame(
        rows, columns=["map", "comprehensiveness", "above random", "sufficiency"]
    ).set_index("map")
    numbers_table(frame, key="faithfulness_numbers", columns=COLUMNS)
    if any(abs(one.comprehensiveness) < LEAST_LOSS for one in found.maps):
        st.caption(
            "Where – stands, taking the map's patches away hardly changes the probability: the "
            "map is not judged by that."
        )
    line = f"p is {probability(found.p)} with the image and {probability(found.p_blank)} without. "
    if abs(found.image_dependence) < LITTLE_DEPENDENCE:
        line += "The word hardly depends on the image, so these numbers mean little."
    rich_line([[Segment(line, "small")]], key="image_dependence")
