"""The Methods page: every method's card, drawn from what the method says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.services.evaluation.benchmark import MEASURES
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.notice import notice_line
from medgemma_dash.ui.components.one_of import one_of
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.subject import subject
from medgemma_dash.ui.components.whole_table import more_to_the_right, whole_table
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.components.wording import duration
from medgemma_dash.ui.pages.methods.scores import (
    column_config,
    columns,
    in_words,
    provenance_line,
    stored_benchmark,
)
from medgemma_dash.ui.pages.methods.timing import time_methods
from medgemma_dash.ui.state.collecting import collect
from medgemma_dash.ui.state.host import method_seconds
from medgemma_dash.ui.state.methods import specs_by_family
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.methods import MethodSpec
    from medgemma_dash.services.evaluation.benchmark import MethodScore
    from medgemma_dash.services.runtime.host import ModelHost


HERE, BENCHMARK_SECONDS = "seconds here", "seconds, benchmark"
PEAK = next(measure.title for measure in MEASURES if measure.name == "pointing")
# What a phone's window has room for beside the methods' names, and how it is called there.
ON_A_PHONE = {HERE: "seconds", PEAK: "on lesion"}


def methods_page(host: ModelHost) -> None:
    """Draw the overview and the cards."""
    collect(current_session(), explanation=False)
    subject(host)
    notice_line()
    if host.state != "ready":
        line = host.message or "The model is loading."
        rich_line([[Segment(line, "quiet")]], key="methods_wait")
        return
    specs = specs_by_family()
    summary = stored_benchmark()
    lines = [_line(spec, summary.score(spec.name) if summary else None) for spec in specs]
    part_heading("Scores on known truth", "scores")
    # Above the table, whose own buttons come out over its upper edge.
    with st.container():
        time_methods(host)
    width = window_width()
    narrow = width == "narrow"
    with st.container(key="methods_table"):
        whole_table(_overview(lines, narrow=narrow), _narrow_columns() if narrow else _columns())
    if narrow:
        st.caption("In a wider window the table tells more; so does each card below.")
    else:
        more_to_the_right()
    if summary is not None:
        st.caption(provenance_line(summary))
    part_heading("What each method computes", "cards")
    families = dict.fromkeys(spec.family for spec in specs)
    chosen = one_of("Family", families, "method_family")
    cards = [spec for spec in specs if spec.family == chosen]
    with st.container(key="method_cards"):
        for start in range(0, len(cards), 2):
            for column, spec in zip(st.columns(2, gap="medium"), cards[start:], strict=False):
                with column, st.container(border=True, key=f"card_{spec.name}"):
                    _card(spec, summary.score(spec.name) if summary else None)
    st.caption(RESEARCH_NOTICE)


def _line(spec: MethodSpec, score: MethodScore | None) -> dict[str, object]:
    line: dict[str, object] = {
        "method": spec.title,
        "family": spec.family,
        HERE: method_seconds().of(spec.name),
        BENCHMARK_SECONDS: _benchmark_seconds(score),
        "signed": "yes" if spec.signed else "",
        "contrast": "yes" if spec.contrastive else "",
        "by word": "yes" if spec.per_token else "no",
    }
    # The widest of all stands last.
    return line | columns(score) | {"cost of a word": spec.cost}


def _columns() -> dict[str, Any]:
    return {
        "family": st.column_config.TextColumn(width=90),
        HERE: st.column_config.NumberColumn(
            format="%.3g",
            help="Median of what a word cost on this machine since the program started, on "
            "whichever page; – for a method that was not asked for yet, or gave no map.",
        ),
        BENCHMARK_SECONDS: st.column_config.NumberColumn(
            format="%.3g",
            help="Mean over the stored benchmark's words, on the machine that ran it, the words of "
            "an answer explained in one batch.",
        ),
        "signed": st.column_config.TextColumn(
            help="Whether it tells evidence against from evidence for."
        ),
        "contrast": st.column_config.TextColumn(
            help="Whether it can say why this word rather than another."
        ),
        "by word": st.column_config.TextColumn(
            help="Whether each word has a map of its own; no: it is the same for all."
        ),
        "cost of a word": st.column_config.TextColumn(
            width="large",
            help="F: one forward pass of the decoder; B: one backward pass; m: the steps.",
        ),
        **column_config(),
    }


def _narrow_columns() -> dict[str, Any]:
    """So wide that all of them stand in the window of a small phone."""
    wide, widths = _columns(), {HERE: 66, PEAK: 76}
    named = {ON_A_PHONE[name]: wide[name] | {"width": px} for name, px in widths.items()}
    return {"_index": st.column_config.Column(width=186), **named}


def _overview(lines: list[dict[str, object]], *, narrow: bool) -> pd.DataFrame:
    """The lines as a table; a benchmark that measured no seconds has no column for them."""
    table = pd.DataFrame(lines).set_index("method")
    if narrow:
        return table[list(ON_A_PHONE)].rename(columns=ON_A_PHONE)
    timed = table[BENCHMARK_SECONDS].notna().any()
    return table if timed else table.drop(columns=BENCHMARK_SECONDS)


def _benchmark_seconds(score: MethodScore | None) -> float | None:
    interval = score.interval("seconds") if score is not None else None
    return None if interval is None else interval.mean


def _card(spec: MethodSpec, score: MethodScore | None) -> None:
    st.subheader(spec.title, anchor=False)
    st.latex(spec.formula)
    st.markdown(spec.card)
    facts = [f"cost of a word: {spec.cost}", f"needs {spec.needs}"]
    seconds = method_seconds().of(spec.name)
    if seconds is not None:
        facts.append(f"{duration(seconds)} on this machine")
    measured = _benchmark_seconds(score)
    if measured is not None:
        facts.append(f"{duration(measured)} in the benchmark")
    facts.append("signed: negative is evidence against" if spec.signed else "unsigned")
    if spec.contrastive:
        facts.append("explains one word against another")
    if not spec.per_token:
        facts.append("the same map for every word")
    st.caption(" · ".join(facts))
    if spec.options:
        st.caption("Options: " + "; ".join(f"{o.label} ({o.allowed})" for o in spec.options))
    st.caption("Benchmark: not measured." if score is None else in_words(score))
    st.caption(spec.source)
