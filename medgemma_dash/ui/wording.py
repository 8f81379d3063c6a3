"""The sentences of the Explain page, built from numbers; plain data, no Streamlit.

Every sentence is a list of segments, so that the model's own words stay apart from ours.
"""

from collections.abc import Sequence

import numpy as np

from medgemma_dash.core.answer import Answer, Candidate, Token
from medgemma_dash.core.explanation import Explanation, Target
from medgemma_dash.regions import ZoneTable
from medgemma_dash.ui.rich_line import Segment

_LONGEST_QUOTE = 48
RUNNERS_UP_SHOWN = 3


def image_share(explanation: Explanation) -> float | None:
    """Share of the target's positive relevance that lies on the image; None when it has none."""
    whole = float(np.clip(explanation.row, 0, None).sum())
    return float(np.clip(explanation.image, 0, None).sum()) / whole if whole > 0 else None


def quoted(text: str) -> str:
    """A token's or phrase's text as it stands in a sentence: trimmed, and visible if blank."""
    words = " ".join(text.split())
    if not words:
        return "␣" if text else "end of answer"
    return words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1] + "…"


def percent(share: float) -> str:
    """A share as whole percents."""
    return f"{100 * share:.0f}%"


def probability(value: float) -> str:
    """A probability with two decimals, and never a false 0 or 1."""
    if value < 0.005:
        return "< 0.01"
    return "> 0.99" if value > 0.995 else f"{value:.2f}"


def zone_phrase(name: str) -> str:
    """Right lower: the patient's right lower zone. Image left mid: the image left mid zone."""
    if name.startswith("Image "):
        return f"the {name.lower()} zone"
    return f"the patient's {name.lower()} zone"


def why_sentence(explanation: Explanation, answer: Answer, zones: ZoneTable) -> list[Segment]:
    """What the map says about the target, in one sentence, and what the model weighed."""
    target = explanation.target
    line = _opening(target)
    share = image_share(explanation)
    if share is not None:
        line.append(Segment(f"{percent(share)} of its relevance lies on the image"))
        line.extend(_top_zone(zones))
        line.append(Segment(". "))
    tokens = [answer.tokens[index] for index in target.token_indices]
    if target.against is not None:
        return line
    if len(tokens) == 1:
        line.extend(_weighed(tokens[0]))
    elif not answer.forced:
        together = float(np.prod([token.probability for token in tokens]))
        line.append(
            Segment(f"The model gave these {len(tokens)} tokens {probability(together)} together.")
        )
    return line


def _opening(target: Target) -> list[Segment]:
    if target.kind == "answer":
        return [Segment("Why "), Segment("this answer", "word"), Segment("? ")]
    word = Segment(quoted(target.text), "word")
    if target.against is None:
        return [Segment("Why "), word, Segment("? ")]
    other = Segment(quoted(target.against.text), "word")
    return [
        Segment("Why "),
        word,
        Segment(" rather than "),
        other,
        Segment("? "),
        Segment("back to why", "action", "against:none"),
        Segment(" "),
        word,
        Segment(". "),
    ]


def _top_zone(zones: ZoneTable) -> list[Segment]:
    if not zones.rows:
        return []
    top = max(zones.rows, key=lambda row: row.share)
    if top.share <= 0:
        return []
    return [Segment(f", {percent(top.share)} of that inside {zone_phrase(top.name)}")]


def _weighed(token: Token) -> list[Segment]:
    line = [Segment(f"The model gave it {probability(token.probability)}")]
    for place, candidate in enumerate(token.runners_up[:RUNNERS_UP_SHOWN]):
        line.append(Segment("; next came " if place == 0 else ", "))
        line.extend(_runner_up(candidate, with_number=place == 0))
    line.append(Segment("."))
    return line


def _runner_up(candidate: Candidate, *, with_number: bool) -> list[Segment]:
    name = quoted(candidate.text)
    given = probability(candidate.probability)
    action = Segment(
        f"why not {name}?", "action", f"against:{candidate.id}", f"The model gave it {given}."
    )
    if not with_number:
        return [action]
    return [Segment(name, "word"), Segment(f" {given} "), action]


def how_line(answer: Answer, method_title: str, seconds: float | None) -> list[Segment]:
    """Which method, how long it took, and whether the replay was faithful.

    seconds: None when nothing had to be computed.
    """
    parts = [method_title, "known already" if seconds is None else duration(seconds)]
    if answer.forced:
        parts.append("answer was given, not generated")
    elif answer.fidelity.exact:
        count = len(answer.tokens)
        parts.append(f"replay exact ({count} of {count} tokens)")
    if answer.is_demo:
        parts.append("demo model")
    return [Segment(" · ".join(parts), "small")]


def fidelity_warning(answer: Answer) -> str:
    """A warning when the replayed model does not say what was generated, else ""."""
    fidelity = answer.fidelity
    if fidelity.exact or answer.forced:
        return ""
    words = ", ".join(f"“{quoted(answer.tokens[i].text)}”" for i in fidelity.mismatches[:5])
    more = len(fidelity.mismatches) - 5
    tail = f" and {more} more" if more > 0 else ""
    return (
        f"The replay differs from what was generated at {len(fidelity.mismatches)} of "
        f"{len(answer.tokens)} tokens ({words}{tail}): explanations of these words may describe "
        "another computation. Half precision is the usual cause; float32 avoids it."
    )


def duration(seconds: float) -> str:
    """Seconds as a person reads them."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def leaned_words(words: Sequence[tuple[str, float]], most: int = 3) -> str:
    """The words that leaned most on a cell, best first, for a tooltip; "" when none did."""
    ranked = sorted((w for w in words if w[1] > 0 and w[0].strip()), key=lambda word: -word[1])
    return ", ".join(quoted(text) for text, _ in ranked[:most])
