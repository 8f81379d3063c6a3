"""What a words record says, in sentences; no model is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from medgemma_dash.core.errors import quoted
from medgemma_dash.core.record import Record
from medgemma_dash.metrics.agreement_controls import judged_pairs
from medgemma_dash.metrics.agreement_square import telling_decimals
from medgemma_dash.metrics.agreement_words import agreement_summary
from medgemma_dash.services.words.rows import WordRow, full_names

LONGEST_PRECEDING = 40
# From these shares on, a map is said to lie in a half, and in a third; even ones are 1/2 and 1/3.
HALF_SHARE, THIRD_SHARE = 0.65, 0.5
FOR_ALONE = "That is what speaks for each word; what speaks against it may lie elsewhere."
MOST_COMPARED = 12  # maps: every pair costs milliseconds
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


def failed_together(record: Record) -> Iterator[str]:
    """The same, the words that a method failed on for one reason in one sentence."""
    failed: dict[tuple[str, str], dict[str, None]] = {}
    for row in record.tables["attempts"].to_dict("records"):
        if not row["made_map"]:
            failed.setdefault((row["method"], row["reason"]), {})[quoted(row["word"])] = None
    for (method, reason), words in failed.items():
        yield f"{method} made no map of {_listed(list(words))}. {reason}"


def regions_line(rows: Sequence[WordRow], patient_right: str = "unknown") -> str:
    """Where the model looks for the words, those that it looks for in one place together; of maps
    with evidence against a word too, that this is not of it.

    patient_right: the image side on which the patient's right lies: "left", "right", "unknown".
    """
    found: dict[str, list[str]] = {}
    for row, name in zip(rows, full_names(rows), strict=True):
        if row.map is not None:
            found.setdefault(_region(row, patient_right), []).append(quoted(name))
    said = [f"{_listed(names)}: {region}." for region, names in found.items()]
    against = any(row.signed and row.map is not None and (row.map < 0).any() for row in rows)
    return " ".join([*said, *([FOR_ALONE] if against else [])])


def alike_line(rows: Sequence[WordRow]) -> str:
    """Whether the maps differ from word to word, by Jensen-Shannon and its controls; "" where no
    two can be compared.
    """
    named = [
        (name, row.map)
        for row, name in zip(rows, full_names(rows), strict=True)
        if row.map is not None and row.per_word
    ]
    named = [(name, image) for name, image in named if image.shape == named[0][1].shape]
    if not 2 <= len(named) <= MOST_COMPARED:
        return ""
    pairs = judged_pairs([image for _, image in named], "divergence")
    return agreement_summary([quoted(name) for name, _ in named], pairs, "divergence")


def quality_line(rows: Sequence[WordRow], even_inside: float | None = None) -> str:
    """How many maps reach each target; "" without a map.

    even_inside: what an even map has inside the body: a map with no more did not find it.
    """
    marks = [row.marks for row in rows if row.map is not None]
    if not marks:
        return ""
    told = []
    for measure, good in _GOOD.items():
        reached = sum(one.get(measure) == "good" for one in marks)
        told.append(f"{good} {reached} of {len(marks)}")
    said = f"Targets reached: {', '.join(told)}."
    if even_inside is None:
        return said
    names = [
        quoted(name)
        for row, name in zip(rows, full_names(rows), strict=True)
        if row.map is not None and row.numbers["inside_body"] <= even_inside
    ]
    if not names:
        return said
    # Otherwise a map with more could have the same number in the table.
    inside = [100 * row.numbers["inside_body"] for row in rows if row.map is not None]
    even = f"{even_inside:.{telling_decimals(100 * even_inside, inside, 0)}%}"
    return f"{said} No more inside the body than an even map ({even}): {_listed(names)}."


_GOOD = {
    "inside_body": "inside the body",
    "border": "off the border",
    "entropy": "focused",
    "peak_ratio": "a clear peak",
}


def _region(row: WordRow, patient_right: str) -> str:
    """Where most of a map lies, in words of the picture."""
    sides = {}
    for side in ("left", "right"):
        own = "right" if side == patient_right else "left"
        told = f" (patient's {own})" if patient_right != "unknown" else ""
        sides[f"{side} half{told}"] = row.numbers[side]
    thirds = {
        "upper third": row.numbers["apical"],
        "middle third": row.numbers["middle"],
        "lower third": row.numbers["basal"],
    }
    side = next((name for name, share in sides.items() if share >= HALF_SHARE), "")
    third = next((name for name, share in thirds.items() if share >= THIRD_SHARE), "")
    if side and third:
        return f"mostly the image's {side}, and its {third}"
    if side or third:
        return f"mostly the image's {side or third}"
    if row.numbers["left"] != row.numbers["left"]:
        return "nothing that speaks for it on the image"
    return "no one half or third of the image"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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
