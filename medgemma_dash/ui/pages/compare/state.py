"""What the Compare page knows: the maps of one target, why some are missing, and pinned maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, cast

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.tasks import COMPARE, compare_task
from medgemma_dash.ui.state.host import method_seconds
from medgemma_dash.ui.state.jobs import was_left
from medgemma_dash.ui.state.methods import chosen_options, specs
from medgemma_dash.ui.state.session import LivesWith

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from medgemma_dash.metrics.faithfulness import FaithfulnessTable
    from medgemma_dash.metrics.map_quality import MapQuality
    from medgemma_dash.regions import ZoneMap, ZoneScheme
    from medgemma_dash.services.explaining.steps import MethodOutcome
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.session import Session
    from medgemma_dash.ui.state.study import Answered, Choice, Options

# Widgets that keep their value for the session (persist_state="session").
COMPARED = "compared_methods"
COMPARED_SCALE = "compared_scale"
COMPARED_PER_ROW = "compared_per_row"

CANCELLED = "It was cancelled."


@dataclass(frozen=True)
class ComparedMap:
    """A method and what it found, or why it found nothing; both empty while it is awaited."""

    method: str
    title: str
    options: Options
    explanation: Explanation | None
    reason: str = ""


@dataclass(frozen=True)
class Pin:
    """A map that stays on the Compare page, whatever is open.

    explanation: without its radiograph, of which many would fill the memory.
    radiograph_jpeg, width, height, laterality, zones, quality: what is needed of it.
    """

    title: str
    caption: str
    explanation: Explanation
    radiograph_jpeg: bytes
    width: int
    height: int
    laterality: str
    zones: Mapping[ZoneScheme, ZoneMap]
    quality: MapQuality


@dataclass(eq=False)
class Comparison:
    """One target's maps by the chosen methods, computed by a job while the page is read.

    target: of the answer with `answer_key`.
    found: every map that was seen, chosen or not; the store may forget them.
    reasons: why methods have no map. lasting_reasons: those of them that the study keeps, since
        the method would say the same again.
    sent: what the job computes, in an order of its own; empty without one. seen: how many of its
        outcomes were taken over.
    awaited: whether some of `maps` are under way; what the job has found since they were taken
        is shown when the page is drawn again.
    faithfulness: what the test found, and of which methods' maps.
    """

    answer_key: str
    target: Target
    choices: tuple[Choice, ...] = ()
    found: dict[Choice, Explanation] = field(default_factory=dict)
    reasons: dict[Choice, str] = field(default_factory=dict)
    lasting_reasons: dict[Choice, str] = field(default_factory=dict)
    maps: tuple[ComparedMap, ...] = ()
    sent: tuple[Choice, ...] = ()
    seen: int = 0
    awaited: bool = False
    faithfulness: tuple[tuple[Choice, ...], FaithfulnessTable] | None = None

    def missing(self, choices: Sequence[Choice]) -> tuple[Choice, ...]:
        """Those of them that have neither a map nor a reason why there is none."""
        return tuple(one for one in choices if one not in self.found and one not in self.reasons)

    def curable(self) -> tuple[Choice, ...]:
        """Chosen methods without a map that may give one when they are asked again."""
        return tuple(
            choice
            for choice in self.choices
            if choice in self.reasons
            and choice not in self.lasting_reasons
            and choice not in self.found
        )

    def try_again(self) -> None:
        """Forget why the curable maps are missing, so that they are sent for again."""
        for choice in self.curable():
            del self.reasons[choice]


@dataclass(eq=False)
class Pins:
    """The maps that stay on the page."""

    lives_with: ClassVar[LivesWith] = "session"
    maps: list[Pin] = field(default_factory=list)


@dataclass(eq=False)
class CompareState:
    """What is compared on the open radiograph.

    without_map: for an answer's key and a target, why methods will never have a map of it.
    body: the body mask in pixels, once it was asked for.
    """

    lives_with: ClassVar[LivesWith] = "study"
    comparison: Comparison | None = None
    body: npt.NDArray[np.bool_] | None = None
    without_map: dict[tuple[str, Target], dict[Choice, str]] = field(default_factory=dict)


def start_comparing(
    session: Session, host: ModelHost, answered: Answered, target: Target, methods: list[str]
) -> Comparison:
    """Take what is known from the store, and send for the rest unless that is under way.

    What the reader cancelled, or what failed, is not sent again until `try_again`.
    """
    by_name = {spec.name: spec for spec in specs()}
    choices = tuple((name, chosen_options(by_name[name])) for name in methods)
    comparison = _comparison_of(session, answered, target)
    comparison.choices = choices
    _collect(session, comparison)
    for choice in choices:
        known = comparison.found.get(choice) or answered.store.explanation(target, *choice)
        if known is not None:
            comparison.found[choice] = known
    missing = comparison.missing(choices)
    if set(missing) != set(comparison.missing(comparison.sent)):
        session.jobs.drop(COMPARE)
        comparison.sent, comparison.seen = missing, 0
        if missing:
            task = compare_task(answered.store, target, missing, method_seconds())
            session.jobs.run(host, task)
    comparison.awaited = bool(missing)
    comparison.maps = tuple(
        ComparedMap(
            choice[0],
            by_name[choice[0]].title,
            choice[1],
            comparison.found.get(choice),
            "" if choice in comparison.found else comparison.reasons.get(choice, ""),
        )
        for choice in choices
    )
    return comparison


def _comparison_of(session: Session, answered: Answered, target: Target) -> Comparison:
    """The session's comparison, or a new one when it is of another answer or target."""
    state, key = session.page_state(CompareState), answered.answer.key
    comparison = state.comparison
    if comparison is None or (comparison.answer_key, comparison.target) != (key, target):
        session.jobs.drop(COMPARE)
        known = state.without_map.setdefault((key, target), {})
        comparison = Comparison(key, target, reasons=dict(known), lasting_reasons=known)
        state.comparison = comparison
    return comparison


def _collect(session: Session, comparison: Comparison) -> None:
    """Take over what the job has found so far, and why it ended."""
    job = session.jobs.get(COMPARE)
    if job is None:
        return
    ended = job.finished  # asked first: what it told before it ended is among the events then
    outcomes = cast("Sequence[MethodOutcome]", job.events)
    for outcome in outcomes[comparison.seen :]:
        choice = outcome.method, outcome.options
        if outcome.explanation is not None:
            comparison.found[choice] = outcome.explanation
        else:
            comparison.reasons[choice] = outcome.reason
        if outcome.lasting:
            comparison.lasting_reasons[choice] = outcome.reason
    comparison.seen = len(outcomes)
    if not ended:
        return
    if job.error is not None and not was_left(job):
        reason = CANCELLED if job.state == "cancelled" else str(job.error)
        for choice in comparison.missing(comparison.sent):
            comparison.reasons[choice] = reason
    session.jobs.drop(COMPARE)
    comparison.sent = ()
