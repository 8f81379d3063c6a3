"""Lines of plain text with emphasis and actions, drawn without Markdown or HTML.

Streamlit's own text elements read Markdown, in which a model's words could become a link
or a remote picture. Here every text reaches the page through `textContent`.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

import streamlit as st

Role = Literal["plain", "word", "quiet", "small", "action", "pill", "accent-pill", "warning", "bar"]
LineTone = Literal["plain", "card", "note", "error", "caution", "speech", "status", "quiet"]

_FOLDER = Path(__file__).parent
_mount = st.components.v2.component(
    "medgemma_dash_rich_line",
    html='<div class="rich-line"></div>',
    css=(_FOLDER / "rich_line.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "rich_line.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Segment:
    """A stretch of text in one role; an "action" is a button that reports `action`, a "bar" is as
    full as the number from 0 to 1 that its text is.
    """

    text: str
    role: Role = "plain"
    action: str = ""
    hint: str = ""


Line = Sequence[Segment]


def rich_line(
    lines: Sequence[Line],
    *,
    key: str,
    tone: LineTone = "plain",
    announce: Literal["", "status", "alert"] = "",
    on_choose: Callable[[], None] | None = None,
) -> None:
    """Draw the lines; `on_choose` runs when an action was clicked, see `chosen_action`."""
    _mount(
        key=key,
        data={
            "lines": [[asdict(segment) for segment in line] for line in lines],
            "tone": tone,
            "announce": announce,
        },
        on_chosen_change=on_choose or _ignore,
    )


def reason_line(title: str, reason: str) -> Line:
    """Whose reason it is, and the reason; one that begins with the title says so itself."""
    if reason.startswith(title):
        return [Segment(reason, "small")]
    return [Segment(f"{title}: "), Segment(reason, "small")]


def chosen_action(key: str) -> str | None:
    """The action that was just clicked in the line with this key, inside its callback."""
    state = cast(dict[str, str | None], st.session_state.get(key) or {})
    return state.get("chosen")


def _ignore() -> None:
    """Nothing to do: the line has no actions."""
