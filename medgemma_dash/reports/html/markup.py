"""Pieces of HTML in which every text is text."""

import math
import re
from collections.abc import Iterable, Sequence
from html import escape

# Characters without a glyph: they could hide or reorder what stands beside them.
INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def text(value: str) -> str:
    """The text, escaped, with invisible and direction-changing characters written as codes."""
    return escape(INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value))


def isolated(value: str) -> str:
    """Text of a person or a model, kept from changing the reading direction of its neighbours."""
    return f"<bdi>{text(value)}</bdi>"


def number(value: float | None) -> str:
    """Four significant digits, or a dash."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.4g}"


def percent(value: float | None) -> str:
    """A share as a percentage, or a dash."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.1f}%"


def table(
    caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1
) -> str:
    """A table of cells that are HTML already; after the first `words` columns come numbers."""
    head = "".join(
        f'<th scope="col"{_kind(column, words)}>{text(heading)}</th>'
        for column, heading in enumerate(headings)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{_kind(column, words)}>{cell}</td>" for column, cell in enumerate(row))
        + "</tr>\n"
        for row in rows
    )
    return (
        f"<table><caption>{text(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _kind(column: int, words: int) -> str:
    return "" if column < words else ' class="number"'
