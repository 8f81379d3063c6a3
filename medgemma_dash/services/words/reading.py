"""What a words record says, in sentences; no model is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from medgemma_dash.core.errors import quoted
from medgemma_dash.core.record import Record

LONGEST_PRECEDING = 40
WHERE = {
    "answer": "in the answer",
    "prompt": "in the prompt",
    "forced": "forced into the answer",
}


def word_lines(record: Record) -> Iterator[str]:
    """A sentence for each row: which word, where, which method's map, and what that is like."""
    table = record.tables["words"]
    counts = table.groupby(["word", "place"])["occurrence"].transform("max")
    images = int(table["image"].max())
    for row, count in zip(table.to_dict("records"), counts, strict=True):
        yield _line(row, count > 1, images)


def failed_lines(record: Record) -> Iterator[str]:
    """A sentence for each method that made no map, with the reason."""
    for row in record.tables["attempts"].to_dict("records"):
        if not row["made_map"]:
            start = f"{quoted(row['word'])} {WHERE[row['place']]}: {row['method']} made no map."
            yield f"{start} {row['reason']}"


def _line(row: dict[Any, Any], numbered: bool, images: int) -> str:
    where = WHERE[row["place"]]
    if row["place"] == "forced" and row["preceding"]:
        where += f" behind {quoted(_end_of(row['preceding']))}"
    which = f", occurrence {row['occurrence']}" if numbered else ""
    shown = f", image {row['image']} of {images}" if images > 1 else ""
    start = f"{quoted(row['word'])} {where}{which}{shown}: "
    if not row["map"]:
        return f"{start}no explanation; no method gave a map."
    whatever = "" if row["per_word"] else " (the same for every word)"
    if row["peak_ratio"] != row["peak_ratio"]:
        return f"{start}{row['method']}{whatever}, nothing that speaks for it on the image."
    return (
        f"{start}{row['method']}{whatever}, {row['inside_body']:.0%} inside the body, "
        f"{row['left']:.0%} in the image's left half, its peak {row['peak_ratio']:.1f} times "
        f"the mean, entropy {row['entropy']:.2f} nats."
    )


def _end_of(text: str) -> str:
    """The words right in front of what follows."""
    return text if len(text) <= LONGEST_PRECEDING else f"...{text[-LONGEST_PRECEDING:]}"
