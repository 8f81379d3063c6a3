"""Every number of a record: figures beside their controls, as published, and by all removals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from medgemma_dash.metrics.published_forms import TARGETS
from medgemma_dash.services.faithfulness.plan import SANITY_LIMITS
from medgemma_dash.services.faithfulness.reading import verdicts_of
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.whole_table import more_to_the_right
from medgemma_dash.ui.components.window_width import window_width

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record

# What each is called, and what it is.
FIGURES = {
    "gain": (
        "gain",
        "Insertion area less deletion area; 0 on average for random rankings. Verdicts are about "
        "it.",
    ),
    "deletion_auc": ("deletion area", "Area under the deletion's p (RISE): low for a good map."),
    "insertion_auc": ("insertion area", "Area under the insertion's p: high for a good map."),
    "comprehensiveness": (
        "comprehensiveness",
        "p less p without the top 20% of cells (ERASER): high for a good map.",
    ),
    "aopc_comprehensiveness": (
        "AOPC, removed",
        "Comprehensiveness, mean over the top 10, 20, 30, 50, 70 and 90% (ERASER).",
    ),
    "sufficiency": ("sufficiency", "p less p of the top 20% alone: low for a good map."),
    "aopc_sufficiency": ("AOPC, kept", "Sufficiency, mean over the same shares (ERASER)."),
}
AREAS = ("deletion_auc", "insertion_auc")
VERDICT = "better than chance"
CENTRE = "centre of the picture"
CHECK_PX, REMOVAL_PX = 240, 120
VERDICT_HELP = (
    "yes: above what 95% of random and of blurred random rankings reach; no: not even above their "
    "mean; else not shown."
)
PUBLISHED_HELP = {
    "deletion drop": "Mean loss of log-probability without the top 10 to 90%.",
    "insertion log-probability": "Mean log-probability of the top 10 to 90% alone: below 0, so "
    "its target cannot be reached.",
    "comprehensiveness": "Loss of log-probability without the top 20%, over its size.",
    "sufficiency": "Log-probability of the top 20% alone over that of all: it grows when the kept "
    "picture does worse.",
}


def record_numbers(record: Record, removal: str) -> None:
    """Draw the tab that is open."""
    figures, published, removals, checks = st.tabs(
        ["Numbers and controls", "As published", "All removals", "Sanity, step by step"],
        key="faithfulness_tabs",
        on_change="rerun",
    )
    titles = {one.method: one.title for one in verdicts_of(record)}
    if figures.open:
        with figures:
            _figures(record, removal, titles)
    if published.open:
        with published:
            _published(record, removal, titles)
    if removals.open:
        with removals:
            _removals(record, titles)
    if checks.open:
        with checks:
            _checks(record, titles)


def _figures(record: Record, removal: str, titles: dict[str, str]) -> None:
    """Methods, then what chance gives: its mean, and where 95% of single rankings lie."""
    summary, chance = record.tables["summary"], record.tables["chance"]
    rows: dict[str, dict[str, object]] = {}
    for row in summary[summary["removal"] == removal].to_dict("records"):
        if row["kind"] in ("method", "centre"):
            name = titles.get(row["method"], CENTRE)
            rows[name] = {**_figures_of(row), VERDICT: row["verdict"]}
    here = record.tables["dependence"].set_index("removal").loc[removal, "probability"]
    by_kind = chance[chance["removal"] == removal].groupby("kind", sort=False)
    for kind, part in by_kind:
        known = part.set_index("figure")
        draws = int(known["draws"].iloc[0])
        for column, words in (("mean", f"mean of {draws}"), ("low", "95% from"), ("high", "to")):
            values = _possible(_figures_of(known[column]), float(here))
            rows[f"{kind}, {words}"] = {**values, VERDICT: ""}
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("ranking")
    if window_width() == "medium":
        # The page says it above, and here it would stand beyond the edge.
        frame = frame.drop(columns=VERDICT)
    st.caption(f"By {removal}; p is the target's probability")
    columns = {
        title: st.column_config.NumberColumn(format="%.3f", help=words)
        for title, words in FIGURES.values()
    }
    columns[VERDICT] = st.column_config.TextColumn(help=VERDICT_HELP)
    numbers_table(frame, key="faithfulness_numbers", columns=columns)
    more_to_the_right()


def _figures_of(values: Mapping[str, Any]) -> dict[str, float]:
    return {title: _unsigned_zero(float(values[name])) for name, (title, _) in FIGURES.items()}


def _possible(values: dict[str, float], probability: float) -> dict[str, float]:
    """The same within what there can be: an interval by its draws' variance reaches beyond.

    An area under a p lies from 0 to 1, and what is lost of a p from all of it to its gain up to 1.
    """
    areas = (0.0, 1.0)
    losses = (probability - 1.0, probability)
    ends = {FIGURES[name][0]: areas for name in AREAS} | {FIGURES["gain"][0]: (-1.0, 1.0)}
    found = {}
    for name, value in values.items():
        low, high = ends.get(name, losses)
        found[name] = _unsigned_zero(min(max(value, low), high))
    return found


def _unsigned_zero(value: float) -> float:
    """The number, but 0 where the table would show -0.000."""
    return 0.0 if abs(value) < 0.0005 else value


def _published(record: Record, removal: str, titles: dict[str, str]) -> None:
    published = record.tables["published"]
    draws = record.tables["chance"].groupby("kind")["draws"].first()
    names = {kind: f"{kind}, mean of {count}" for kind, count in draws.items()}
    names |= {"centre": CENTRE} | titles
    here = published[published["removal"] == removal].assign(
        method=lambda rows: [names.get(one, one) for one in rows["method"]]
    )
    frame = here.pivot_table("value", "method", "figure", sort=False, dropna=False)
    frame = frame.reindex(columns=list(TARGETS))
    frame = frame.rename_axis(index="ranking", columns=None)
    st.caption(
        "Forms of the MedGemma Visualizer documentation, of log-probabilities, with its targets: "
        + ", ".join(f"{figure} {target:g}" for figure, target in TARGETS.items())
        + ". The last two divide by log-probabilities: where p is near 1 that is nearly by 0, and "
        "values in the hundreds say nothing of the map."
    )
    numbers_table(
        frame,
        key="published_numbers",
        columns={
            name: st.column_config.NumberColumn(format="%.3f", help=words)
            for name, words in PUBLISHED_HELP.items()
        },
    )


def _removals(record: Record, titles: dict[str, str]) -> None:
    """Dependence on the image and each method's gain by every removal, and whether they agree."""
    dependence, summary = record.tables["dependence"], record.tables["summary"]
    frame = dependence.set_index("removal")[
        ["space", "probability", "probability_without", "image_effect"]
    ]
    frame.columns = pd.Index(["space", "p", "p without image", "image effect"])
    columns = {
        "_index": st.column_config.TextColumn(width=REMOVAL_PX),
        "space": st.column_config.TextColumn(help="What is changed: soft tokens or pixels."),
        "p": st.column_config.NumberColumn(format="%.3f", help="The target's probability."),
        "p without image": st.column_config.NumberColumn(
            format="%.3f", help="The same with all of the image removed."
        ),
        "image effect": st.column_config.NumberColumn(
            format="%.2f", help="What the image gives its log-probability, in nats."
        ),
    }
    for name, rows in summary[summary["kind"] == "method"].groupby("method", sort=False):
        by_removal = rows.set_index("removal")
        title = titles[str(name)]
        frame[f"{title}, gain"] = by_removal["gain"]
        frame[f"{title}, verdict"] = by_removal["verdict"]
        columns[f"{title}, gain"] = st.column_config.NumberColumn(
            format="%.3f", help=FIGURES["gain"][1]
        )
        columns[f"{title}, verdict"] = st.column_config.TextColumn(help=VERDICT_HELP)
    chance = summary[summary["kind"] == "random"].set_index("removal")
    for bound, words in (("low", "random, from"), ("high", "random, to")):
        frame[words] = chance[bound]
        columns[words] = st.column_config.NumberColumn(
            format="%.3f", help="95% of random rankings have a gain between from and to."
        )
    numbers = frame.select_dtypes("number").columns
    frame[numbers] = frame[numbers].map(_unsigned_zero)
    frame["image effect"] = frame["image effect"].round(2) + 0.0
    numbers_table(frame, key="removal_numbers", columns=columns)
    _agreement(record)


def _agreement(record: Record) -> None:
    pairs = record.tables["agreement"]
    if not len(pairs) or int(pairs["methods"].iloc[0]) < 2:
        line = "How alike removals rank the methods needs two of each."
        rich_line([[Segment(line, "quiet")]], key="no_agreement")
        return
    names = [f"{row.first} and {row.second}" for row in pairs.itertuples()]
    frame = pd.DataFrame(
        {
            "Kendall's tau": pairs["kendall"].to_numpy(),
            "same best method": ["yes" if same else "no" for same in pairs["same_best"]],
        },
        index=pd.Index(names, name="removals"),
    )
    numbers_table(
        frame,
        key="removal_agreement",
        columns={
            "Kendall's tau": st.column_config.NumberColumn(
                format="%.2f", help="Of the two rankings of the methods: 1 the same, -1 reversed."
            ),
            "same best method": st.column_config.TextColumn(
                help="Whether both removals find the same method best."
            ),
        },
    )


def _checks(record: Record, titles: dict[str, str]) -> None:
    checks = record.tables["sanity"]
    if not len(checks):
        rich_line([[Segment("No sanity checks were made.", "quiet")]], key="no_checks")
        return
    methods = [titles.get(one, one) for one in checks["method"]]
    frame = pd.DataFrame(
        {
            "method": methods,
            "step": checks["step"].to_numpy(),
            "value": checks["value"].to_numpy(),
            "passes": [SANITY_LIMITS.get(check, "") for check in checks["check"]],
            "passed": ["yes" if one else "no" for one in checks["passed"]],
        },
        index=pd.Index(checks["check"], name="check"),
    )
    if window_width() == "narrow":
        # One column is in sight, and each line has to say by itself what it is of.
        whose = methods if len(set(methods) - {""}) > 1 else [""] * len(methods)
        parts = zip(checks["check"], checks["step"], whose, strict=True)
        frame.index = pd.Index([", ".join(filter(None, one)) for one in parts], name="check")
        frame = frame.drop(columns=["method", "step"])
    numbers_table(
        frame,
        key="sanity_numbers",
        columns={
            "_index": st.column_config.TextColumn(width=CHECK_PX),
            "method": st.column_config.TextColumn(
                help="Whose map is checked; empty where no method takes part."
            ),
            "step": st.column_config.TextColumn(help="The picture, or how many layers are random."),
            "value": st.column_config.NumberColumn(
                format="%.3g", help="docs/records.md says what it is of each check."
            ),
            "passes": st.column_config.TextColumn(
                help="A convention, not a law. Randomisation is judged by its last step."
            ),
            "passed": st.column_config.TextColumn(help="Whether the value is within the limit."),
        },
    )
