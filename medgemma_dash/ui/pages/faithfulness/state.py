"""What the Faithfulness page keeps for itself, and the keys of its widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from medgemma_dash.metrics.faithfulness import TOP_SHARE
from medgemma_dash.metrics.removal_curves import SHARES, Curve
from medgemma_dash.services.faithfulness.known import Known
from medgemma_dash.ui.state.session import LivesWith

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.core.target import Target
    from medgemma_dash.services.faithfulness.look import MaskedAnswer, Step

# Widgets that keep their value for the session (persist_state="session").
TESTED_METHODS = "faithfulness_methods"
TESTED_REMOVALS = "faithfulness_removals"
SHOWN_REMOVAL = "faithfulness_removal"
SHOWN_METHOD = "faithfulness_method"
# Both with the slider's number, see `StepState`.
SHARE = "faithfulness_share"
CURVE = "faithfulness_curve"

PART = "faithfulness_record"  # the fragment that shows a record, or what is awaited


@dataclass(frozen=True)
class Wanted:
    """What the reader asks for."""

    target: Target | tuple[str, str]
    methods: tuple[str, ...]
    removals: tuple[str, ...]
    sanity: bool = False

    @property
    def checks(self) -> tuple[Target | tuple[str, str], tuple[str, ...]]:
        """What sanity checks are of."""
        return self.target, self.methods


@dataclass(eq=False)
class FaithfulnessState:
    """What was found about the words of one answer.

    records: by what was asked. latest: of each target, shown while another test is under way, or
        has failed. known: what makes up those records, so that nothing is computed twice.
    checked: the methods and targets whose sanity checks were asked for.
    decision: the target in whose place the decision is tested; another one ends that.
    answers: what the model said at steps of a record's curves.
    """

    lives_with: ClassVar[LivesWith] = "answer"
    records: dict[Wanted, Record] = field(default_factory=dict)
    latest: dict[Target | tuple[str, str], Record] = field(default_factory=dict)
    known: dict[Target | tuple[str, str], Known] = field(default_factory=dict)
    checked: set[tuple[Target | tuple[str, str], tuple[str, ...]]] = field(default_factory=set)
    decision: Target | None = None
    answers: dict[tuple[Target | tuple[str, str], Step], MaskedAnswer] = field(default_factory=dict)


@dataclass(eq=False)
class StepState:
    """The step of the curves that is looked at.

    slider: how many sliders there were. A click on a curve makes a new one: what the browser still
        says of the old one, which an overtaken run did not move, is passed over.
    """

    lives_with: ClassVar[LivesWith] = "session"
    curve: Curve = "deletion"
    share: float = TOP_SHARE
    slider: int = 0

    def nearest(self, share: float) -> None:
        """Look at the step that is nearest to this share."""
        self.share = min(SHARES, key=lambda one: abs(one - share))
        self.slider += 1
