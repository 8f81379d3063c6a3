"""How each method scored in the benchmark that is stored with the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.resources import resource
from medgemma_dash.services.evaluation.benchmark import MEASURES, read_summary
from medgemma_dash.ui.components.rich_line import Segment, rich_line

if TYPE_CHECKING:
    from medgemma_dash.services.evaluation.benchmark import BenchmarkSummary, MethodScore

BENCHMARK = resource("assets", "benchmark", "benchmark.json")

# What the overview has a column for; the cards tell more.
SHOWN = ("pointing", "energy", "comprehensiveness", "above_random", "spearman")
IN_WORDS = (*SHOWN, "auprc", "inside_body")


def stored_benchmark() -> BenchmarkSummary | None:
    """The benchmark's summary; None, with a word on the page, when there is none to read."""
    try:
        return _read(BENCHMARK.stat().st_mtime_ns)
    except (ResultFileError, OSError) as error:
        reason = str(error) if isinstance(error, ResultFileError) else "No benchmark is stored."
        rich_line([[Segment(reason, "quiet")]], key="no_benchmark", tone="quiet")
        return None


@st.cache_data(show_spinner=False)
def _read(_changed: int) -> BenchmarkSummary:
    return read_summary(BENCHMARK)


def columns(score: MethodScore | None) -> dict[str, float | None]:
    """The overview's cells for one method."""
    found: dict[str, float | None] = {}
    for measure in MEASURES:
        if measure.name in SHOWN:
            interval = score.interval(measure.name) if score is not None else None
            times = 100 if measure.percent else 1
            # Rounded once, to what is shown: twice, 80.852 became 80.85 and then 80.8. And no
            # -0.00: -0.0 + 0.0 is 0.0.
            digits = 1 if measure.percent else 2
            found[measure.title] = (
                None if interval is None else round(times * interval.mean, digits) + 0.0
            )
    return found


def column_config() -> dict[str, Any]:
    """How the overview shows them, with what each means."""
    return {
        measure.title: st.column_config.NumberColumn(
            format="%.1f%%" if measure.percent else "%.2f", help=measure.help
        )
        for measure in MEASURES
        if measure.name in SHOWN
    }


def in_words(score: MethodScore) -> str:
    """One line for a card: means with their 95% intervals."""
    parts = []
    for measure in MEASURES:
        interval = score.interval(measure.name)
        if measure.name in IN_WORDS and interval is not None:
            numbers = (interval.mean, interval.low, interval.high)
            mean, low, high = (f"{n:.0%}" if measure.percent else f"{n:.2f}" for n in numbers)
            parts.append(f"{measure.title} {mean} ({low} to {high})")
    if score.no_map:
        parts.append(f"no map for {score.no_map} of {score.words} words")
    return "Benchmark: " + ", ".join(parts)


def provenance_line(summary: BenchmarkSummary) -> str:
    """What the scores come from."""
    model = "the demo model" if summary.is_demo else summary.model_name
    partial = "" if summary.complete else "; partial: the run was stopped before its end"
    return (
        f"Scores: {summary.words} words of {summary.answers - summary.wrong_answers} right answers "
        f"of {model} (revision {summary.model_revision}) about {summary.radiographs} unseen "
        f"synthetic radiographs, by `{summary.command}`, version "
        f"{summary.package_version}{partial}. F: one forward pass of the decoder; B: one backward "
        "pass."
    )
