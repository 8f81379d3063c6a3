"""A name for every token of a sequence; what cannot be seen is named by where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.core.token_words import readable
from medgemma_dash.ui.components.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence


def token_names(texts: Sequence[str], prompt_length: int = 0) -> tuple[str, ...]:
    """What each token is called, of those that have a text; the others are called ""."""
    names, before, breaks = [], "", 0
    for place, text in enumerate(texts):
        if not text:
            names.append("")
        elif text.strip():
            before = quoted(readable(text, in_prompt=place < prompt_length))
            names.append(before)
        elif "\n" in text:
            breaks += 1
            names.append(f"line break {breaks}")
        else:
            names.append(f"space after “{before}”" if before else "space at the beginning")
    return tuple(names)
