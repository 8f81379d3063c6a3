"""What the Target Words page keeps for itself, and the keys of its widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from medgemma_dash.ui.state.session import LivesWith

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from medgemma_dash.core.record import Record
    from medgemma_dash.services.words.plan import Place
    from medgemma_dash.ui.state.study import Options

# Widgets that keep their value for the session (persist_state="session").
TYPED = "words_typed"
WHERE = "words_places"
METHOD = "words_method"
AFTER = "words_after"  # and the answer's generation
BODY, CLIP, BORDER = "words_body", "words_clip", "words_border"

MOST_KEPT = 32


@dataclass(frozen=True)
class WordsAsked:
    """What the page's controls ask for; `words_task` takes the same."""

    words: tuple[str, ...]
    places: tuple[Place, ...]
    method: str
    options: Options
    forced_after: int | None


@dataclass(eq=False)
class WordsState:
    """kept: records by the answer's key and what was asked, the latest last.

    shown: the record on screen, and of which answer it is.
    offered: the words that the page proposed; while they stand in the box they are not the user's.
    followed: the answer and the word of it that is chosen on the strip, once the box has it.
    alike: of a record, whether its maps differ from word to word: working it out takes a moment.
    """

    lives_with: ClassVar[LivesWith] = "session"
    kept: dict[tuple[str, WordsAsked], Record] = field(default_factory=dict)
    shown: tuple[str, Record] | None = None
    offered: str = ""
    followed: tuple[str, tuple[int, ...]] | None = None
    alike: tuple[Record, str] | None = None

    def keep(self, key: tuple[str, WordsAsked], record: Record) -> None:
        """Have it at hand when the same is asked again."""
        self.kept[key] = record
        while len(self.kept) > MOST_KEPT:
            del self.kept[next(iter(self.kept))]


@dataclass(eq=False)
class FilmState:
    """body: of the open film, once it was asked for: the share of each cell that the body covers,
    by the grid.
    """

    lives_with: ClassVar[LivesWith] = "study"
    body: dict[tuple[int, int], npt.NDArray[np.float64]] = field(default_factory=dict)
