"""A faithfulness record as a report."""

from collections.abc import Iterator

from medgemma_dash.core.notices import notices
from medgemma_dash.core.record import Record
from medgemma_dash.figures import removal_curve_figure
from medgemma_dash.metrics.published_forms import TARGETS
from medgemma_dash.reports.records.common import model_words, provenance_of, table_of
from medgemma_dash.reports.report import Column, Figure, Report, Run, Table
from medgemma_dash.services.faithfulness.plan import SANITY_LIMITS
from medgemma_dash.services.faithfulness.reading import (
    CurveBand,
    agreement_line,
    bands_of,
    dependence_lines,
    sanity_lines,
    verdicts_of,
)

LIMITS = (
    "A picture with parts removed is one that the model may never have seen, and what it then says "
    "may be about the removal: that is why several stand side by side, and why one alone proves "
    "little. Better than chance on one word of one picture says nothing of others, and nothing of "
    "whether the model is right. A map can be faithful and yet miss a finding that is shown twice, "
    "since removing it in one place changes nothing. Whether a sanity check is passed depends on "
    "limits that are conventions; it refutes a method, it never proves one."
)
AXES = {"deletion": "share of the image removed", "insertion": "share of the image kept"}


def faithfulness_report(record: Record) -> Report:
    """Image dependence first, then verdicts and curves, every number, and what it does not show."""
    asked, target = record.plan["asked"], record.plan["target"]
    titles = {one.method: one.title for one in verdicts_of(record)}
    return Report(
        title="Does the map tell the truth about the model?",
        notices=notices(record.provenance.is_demo),
        pictures=(),
        question=str(asked["prompt"]),
        answer=(Run(str(asked["answer"])),),
        lines=(f"Tested: “{str(target['text']).strip()}”.", *_lines(record)),
        figures=tuple(_figure(band, titles) for band in bands_of(record)),
        tables=tuple(_tables(record)),
        provenance=provenance_of(record),
        about=model_words(record.provenance),
        limits=LIMITS,
    )


def _lines(record: Record) -> Iterator[str]:
    yield from dependence_lines(record)
    yield from (one.text for one in verdicts_of(record))
    agreement = agreement_line(record)
    if agreement:
        yield agreement
    yield from sanity_lines(record)


def _figure(band: CurveBand, titles: dict[str, str]) -> Figure:
    light, dark = (
        removal_curve_figure(
            band.shares,
            (band.low, band.mean, band.high),
            [(titles[name], values) for name, values in band.lines],
            AXES[band.curve],
            shade,
        ).to_json()
        for shade in (False, True)
    )
    better = {"deletion": "falls", "insertion": "rises"}[band.curve]
    return Figure(
        f"{band.curve.capitalize()} by {band.removal}",
        f"The target's probability; a good map's curve {better} outside the band of all random "
        "rankings.",
        light,
        dark,
    )


def _tables(record: Record) -> Iterator[Table]:
    number = [
        (name, Column(title, "number"))
        for name, title in (
            ("gain", "Gain"),
            ("deletion_auc", "Deletion area"),
            ("insertion_auc", "Insertion area"),
            ("comprehensiveness", "Comprehensiveness"),
            ("aopc_comprehensiveness", "AOPC"),
            ("sufficiency", "Sufficiency"),
            ("aopc_sufficiency", "AOPC"),
        )
    ]
    yield table_of(
        record.tables["dependence"],
        "Image dependence",
        "The whole image removed; log-probabilities in nats",
        [
            ("removal", Column("Removal", "name")),
            ("probability", Column("p", "number")),
            ("probability_without", Column("p without", "number")),
            ("image_effect", Column("Image effect", "number")),
        ],
    )
    for removal, rows in record.tables["summary"].groupby("removal", sort=False):
        low, high = rows["low"].iloc[0], rows["high"].iloc[0]
        yield table_of(
            # Of random rankings it is zero but for the order of sums.
            rows.assign(gain=rows["gain"].round(12) + 0.0),
            f"By {removal}",
            f"Gain is insertion area less deletion area; that of 95% of random rankings lies from "
            f"{low:.3g} to {high:.3g}. Controls are means over their draws.",
            [
                ("method", Column("Ranking", "name")),
                ("verdict", Column("Better than chance", "name")),
                *number,
            ],
        )
    sanity = record.tables["sanity"]
    if len(sanity):
        yield table_of(
            sanity.assign(
                limit=[SANITY_LIMITS[check] for check in sanity["check"]],
                passed=["yes" if one else "no" for one in sanity["passed"]],
            ),
            "Sanity checks",
            "docs/records.md says what each value is. Whether randomisation is passed is told by "
            "its last step.",
            [
                ("check", Column("Check", "name")),
                ("method", Column("Method", "name")),
                ("step", Column("Step", "name")),
                ("value", Column("Value", "number")),
                ("limit", Column("Passes", "name")),
                ("passed", Column("Passed", "name")),
            ],
        )
    published = record.tables["published"]
    own = published[published["kind"] == "method"]
    targets = ", ".join(f"{figure} {target:g}" for figure, target in TARGETS.items())
    yield table_of(
        own.pivot_table("value", ["removal", "method"], "figure", sort=False).reset_index(),
        "As published",
        f"Forms of the MedGemma Visualizer documentation, of log-probabilities; its targets: "
        f"{targets}. The insertion is below 0 and cannot reach its target, and the sufficiency "
        "grows when the kept picture does worse.",
        [
            ("removal", Column("Removal", "name")),
            ("method", Column("Method", "name")),
            *((figure, Column(figure.capitalize(), "number")) for figure in TARGETS),
        ],
    )
