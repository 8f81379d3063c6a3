"""What the Compare page knows: the maps of one target, why some are missing, and pinned maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.target import Target
from medgemma_dash.ui.components.method_picker import chosen_settings, specs
from medgemma_dash.ui.components.trying_again import was_left

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medgemma_dash.metrics.faithfulness import FaithfulnessTable
    from medgemma_dash.metrics.map_quality import MapQuality
    from medgemma_dash.regions import ZoneMap, ZoneScheme
    from medgemma_dash.services.explaining.steps import MethodOutcome
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.services.runtime.job import Job
    from medgemma_dash.ui.state.session import Session, Settings, Study

Choice = tuple[str, "Settings"]  # a method's name and what differs from its defaults

CANCELLED = "It was cancelled."


@dataclass(frozen=True)
class ComparedMap:
    """A method and what it found, or why it found nothing; both empty while it is awaited."""

    method: str
    title: str
    settings: Settings
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

    found: every map that was seen, chosen or not; the store may forget them.
    reasons: why methods have no map. lasting_reasons: those of them that the study keeps, since
        the method would say the same again.
    sent: what the job computes, in order. seen: how many of its outcomes were taken over.
    awaited: whether some of `maps` are under way; what the job has found since they were taken
        is shown when the page is drawn again.
    """

    answer_key: str
    target: Target
    choices: tuple[Choice, ...] = ()
    found: dict[Choice, Explanation] = field(default_factory=dict)
    reasons: dict[Choice, str] = field(default_factory=dict)
    lasting_reasons: dict[Choice, str] = field(default_factory=dict)
    maps: tuple[ComparedMap, ...] = ()
    job: Job[None] | None = None
    sent: tuple[Choice, ...] = ()
    seen: int = 0
    awaited: bool = False
    tested: tuple[Choice, ...] = ()
    faithfulness: tuple[tuple[Choice, ...], FaithfulnessTable] | None = None

    def news(self) -> bool:
        """Whether the job has told something since the page was drawn, or has ended."""
        return self.job is not None and (self.job.finished or len(self.job.events) > self.seen)

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


def start_comparing(
    session: Session, host: ModelHost, study: Study, methods: list[str]
) -> Comparison:
    """Take what is known from the store, and send for the rest unless that is under way.

    What the reader cancelled, or what failed, is not sent again until `try_again`.
    """
    assert study.answer is not None and study.store is not None and study.target is not None  # noqa: S101, PT018  the page has asked
    by_name = {spec.name: spec for spec in specs()}
    choices = tuple((name, chosen_settings(by_name[name])) for name in methods)
    comparison = _comparison_of(session, study)
    comparison.choices = choices
    _collect(comparison)
    for choice in choices:
        known = comparison.found.get(choice) or study.store.explanation(study.target, *choice)
        if known is not None:
            comparison.found[choice] = known
    missing = comparison.missing(choices)
    under_way = comparison.missing(comparison.sent) if comparison.job is not None else ()
    if set(missing) != set(under_way):
        if comparison.job is not None:
            comparison.job.cancel()
            comparison.job = None
        comparison.sent, comparison.seen = missing, 0
        if missing:
            comparison.job = host.compare_job(session.owner, study.store, study.target, missing)
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


def _comparison_of(session: Session, study: Study) -> Comparison:
    """The session's comparison, or a new one when it is of another answer or target."""
    assert study.answer is not None and study.target is not None  # noqa: S101, PT018  as above
    comparison = session.comparison
    if comparison is not None:
        if (comparison.answer_key, comparison.target) == (study.answer.key, study.target):
            return comparison
        if comparison.job is not None:
            comparison.job.cancel()
    known = study.without_map.setdefault((study.answer.key, study.target), {})
    session.comparison = Comparison(
        study.answer.key, study.target, reasons=dict(known), lasting_reasons=known
    )
    return session.comparison


def _collect(comparison: Comparison) -> None:
    """Take over what the job has found so far, and why it ended."""
    job = comparison.job
    if job is None:
        return
    ended = job.finished  # asked first: what it told before it ended is among the events then
    outcomes = cast("Sequence[MethodOutcome]", job.events)
    for outcome in outcomes[comparison.seen :]:
        choice = outcome.method, outcome.settings
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
    comparison.job = None
