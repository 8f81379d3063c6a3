"""A prompts record as a report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medgemma_dash.core.notices import notices
from medgemma_dash.core.record import Record
from medgemma_dash.figures import map_grid_figure
from medgemma_dash.reports.records.common import model_words, provenance_of, table_of
from medgemma_dash.reports.report import Column, Figure, Report, Run
from medgemma_dash.services.prompts.plan import UNCHANGED
from medgemma_dash.services.prompts.reading import summary_lines

LIMITS = (
    "That the answer holds over these phrasings does not say that it holds over others, nor that "
    "it is right: a model that says yes to everything never flips. The maps explain the margin, "
    "yes against no at the first word, and not what the answer says behind it. The reading of a "
    "divergence is the published scale, which knows no control: diffuse maps look alike whatever "
    "they show. A rotation turns the picture under the grid of cells, so that part of what its "
    "map differs by is the turn itself."
)
MOST_WORDS, MOST_COLUMNS = 5, 8


def prompts_report(record: Record) -> Report:
    """What stays over phrasings and changes of the image: sentences, maps, every number."""
    prompts = record.tables["prompts"]
    baseline = prompts.iloc[0]
    pairs = record.tables["pairs"]
    words = record.tables["prompt_words"].groupby("name", sort=False).head(MOST_WORDS)
    unchanged = prompts["name"][prompts["perturbation"] == UNCHANGED]
    return Report(
        title="Does the phrasing change the answer or the map?",
        notices=notices(record.provenance.is_demo),
        pictures=(),
        question=str(baseline["prompt"]),
        answer=(Run(str(baseline["answer"])),),
        lines=(*summary_lines(record), *_reasons(record)),
        figures=tuple(_figures(record)),
        tables=(
            table_of(
                prompts,
                "Prompts",
                "Margin: logits of yes against no at the first word, in nats",
                [
                    ("name", Column("Name", "name")),
                    ("prompt", Column("Prompt", "text")),
                    ("answer", Column("Answer", "text")),
                    ("parsed", Column("Read as", "name")),
                    ("margin", Column("Margin", "number")),
                    ("probability_yes", Column("Yes", "share")),
                    ("probability_no", Column("No", "share")),
                ],
            ),
            table_of(
                pairs[pairs["first"] == baseline["name"]],
                "Maps against that of the question itself",
                "Jensen-Shannon divergence in nats; the record has every other pair too",
                [
                    ("second", Column("Name", "name")),
                    ("js_divergence", Column("Divergence", "number")),
                    ("reading", Column("As published", "name")),
                    ("spearman", Column("Spearman", "number")),
                    ("top_iou", Column("Top cells", "number")),
                    ("margin_change", Column("Change of margin", "number")),
                ],
            ),
            table_of(
                words[words["name"].isin(unchanged)],
                "Words of the prompt",
                "That mattered most for the margin on the image itself; shares are of all of the "
                "prompt's words",
                [
                    ("name", Column("Name", "name")),
                    ("word", Column("Word", "text")),
                    ("relevance", Column("Relevance", "number")),
                    ("share", Column("Share", "share")),
                ],
            ),
        ),
        provenance=provenance_of(record),
        about=model_words(record.provenance),
        limits=LIMITS,
    )


def _reasons(record: Record) -> Iterator[str]:
    for row in record.tables["prompts"].to_dict("records"):
        if not row["map"]:
            yield f"{row['name']} has no map. {row['no_map']}"


def _figures(record: Record) -> Iterator[Figure]:
    """A row for each image, a column for each prompt, where there are not too many of them."""
    table = record.tables["prompts"]
    prompts = int((table["perturbation"] == UNCHANGED).sum())
    maps = [record.maps[name] if name else None for name in table["map"]]
    shown = [image for image in maps if image is not None]
    if not shown:
        return
    empty = np.zeros_like(shown[0])
    # A row's first names every column; below, the change of the image is what is new.
    titles = [
        row.name if row.perturbation == UNCHANGED else f"{row.name.split()[0]} {row.perturbation}"
        for row in table.itertuples(index=False)
    ]
    made = [
        map_grid_figure(
            [empty if image is None else image for image in maps],
            titles,
            signed=any(float(image.min()) < 0 for image in shown),
            dark=dark,
            columns=min(prompts, MOST_COLUMNS) if prompts > 1 else 4,
        ).to_json()
        for dark in (False, True)
    ]
    yield Figure(
        "Maps of the margin",
        "The raw maps cell by cell on one scale, the share of each map's relevance. The record "
        "holds no radiograph to lay them over.",
        *made,
    )
