"""One opened radiograph, and what was asked and chosen about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Radiograph, Window
from medgemma_dash.core.target import Target
from medgemma_dash.ui.state.history import History

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.regions import ZoneMap
    from medgemma_dash.services.explaining.store import RelevanceStore

Options = tuple[tuple[str, str], ...]  # what differs from a method's defaults
Choice = tuple[str, Options]  # a method's name and options
# Half-open range of an answer's tokens, or all of it.
Span = tuple[int, int] | Literal["all"]


@dataclass(frozen=True)
class Shown:
    """The map on screen, and what made it. seconds: None when it was known already."""

    explanation: Explanation
    made_by: Choice
    seconds: float | None


@dataclass(eq=False)
class Answered:
    """The answer on screen, with what is known and chosen about it.

    target: what is looked at; None only where the answer has no token to look at.
    begun: whether a target was chosen, by the reader or for them; until then it is a proposal.
    shown: the target's map. problem: why there is none for the target, "" when there is one.
    evidence: what each word owes to the image, once it was weighed. unweighed: why it was not.
    wanted: what was asked for last. refused: what was wanted and failed; the picker goes back
        from it to what is shown.
    """

    answer: Answer
    store: RelevanceStore
    target: Target | None
    begun: bool = False
    shown: Shown | None = None
    problem: str = ""
    evidence: Record | None = None
    unweighed: str = ""
    wanted: Choice | None = None
    refused: Choice | None = None

    @property
    def explanation(self) -> Explanation | None:
        """The map on screen."""
        return None if self.shown is None else self.shown.explanation


@dataclass(eq=False)
class Study:
    """A radiograph that is open.

    title: what the user sees as its name; a file's own name is never shown.
    sample: the sample's name in the URL, None for an upload.
    marker: stands in the URL for an upload; random, it says nothing about the film.
    opening_question, opening_word: asked and selected when nothing was asked yet.
    opening_span: the tokens that the URL names, selected in their place when the answer is there.
    opening_against: the id of the token that the URL holds them against.
    history: every answer about it.
    thumbnail: a small picture as a data URI, once it was shown.
    revision: counts the answers; a click that was made on an older one is dropped.
    number: counts the session's studies, and keeps their widgets apart.
    """

    radiograph: Radiograph
    title: str
    sample: str | None = None
    marker: str = ""
    opening_question: str = ""
    opening_word: str = ""
    opening_span: Span | None = None
    opening_against: int | None = None
    answered: Answered | None = None
    pictures: dict[tuple[Window, int], bytes] = field(default_factory=dict)
    zones: dict[tuple[str, tuple[int, int]], ZoneMap] = field(default_factory=dict)
    history: History = field(default_factory=History)
    thumbnail: str = ""
    revision: int = 0
    number: int = 0

    @property
    def name(self) -> str:
        """The film as pages name it; of an upload, its size and the beginning of its digest."""
        if self.sample is not None:
            return self.title
        film = self.radiograph
        return f"{self.title}, {film.width} x {film.height}, sha256 {film.sha256[:8]}…"

    @property
    def generation(self) -> str:
        """The answer on screen; a click that carries another one is dropped."""
        return f"{self.number}-{self.revision}"
