"""What the Compare page knows: the maps of one target, why some are missing, and pinned maps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from medgemma_dash.core.explanation import Explanation, Target
from medgemma_dash.ui.method_choice import chosen_settings, specs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medgemma_dash.metrics.faithfulness import FaithfulnessTable
    from medgemma_dash.services.explanation_steps import MethodOutcome
    from medgemma_dash.services.jobs import Job
    from medgemma_dash.services.model_host import ModelHost
    from medgemma_dash.ui.session import Session, Settings, Study

Choice = tuple[str, "Settings"]  # a method's name and what differs from its defaults


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

    radiograph_jpeg, width, height, laterality: the picture it lies on.
    """

    title: str
    caption: str
    explanation: Explanation
    radiograph_jpeg: bytes
    width: int
    height: int
    laterality: str


@dataclass(eq=False)
class Comparison:
    """One target's maps by the chosen methods, computed by a job while the page is read.

    awaited: whether the job was under way when `maps` were taken from the store; what it has
        found since then is shown when the page is drawn again.
    reasons: why methods have no map. lasting_reasons: those of them that the study keeps, since
        the method would say the same again.
    """

    answer_key: str
    target: Target
    choices: tuple[Choice, ...] = ()
    reasons: dict[Choice, str] = field(default_factory=dict)
    lasting_reasons: dict[Choice, str] = field(default_factory=dict)
    maps: tuple[ComparedMap, ...] = ()
    job: Job[None] | None = None
    awaited: bool = False
    seen: int = 0
    tested: tuple[Choice, ...] = ()
    faithfulness: tuple[tuple[Choice, ...], FaithfulnessTable] | None = None

    def news(self) -> bool:
        """Whether the job has told something since the page was drawn, or has ended."""
        return self.job is not None and (self.job.finished or len(self.job.events) > self.seen)


def start_comparing(
    session: Session, host: ModelHost, study: Study, methods: list[str]
) -> Comparison:
    """Take what is known from the store, and send for the rest unless that is under way."""
    assert study.answer is not None and study.store is not None and study.target is not None  # noqa: S101, PT018  the page has asked
    by_name = {spec.name: spec for spec in specs()}
    choices = tuple((name, chosen_settings(by_name[name])) for name in methods)
    comparison = session.comparison
    same = (
        comparison is not None
        and comparison.answer_key == study.answer.key
        and comparison.target == study.target
    )
    if comparison is None or not same:
        if comparison is not None and comparison.job is not None:
            comparison.job.cancel()
        known = study.without_map.setdefault((study.answer.key, study.target), {})
        comparison = session.comparison = Comparison(
            study.answer.key, study.target, reasons=dict(known), lasting_reasons=known
        )
    # Asked before the store is read: what ends in between must not count as cancelled.
    comparison.awaited = comparison.job is not None and not comparison.job.finished
    _collect(comparison)
    store, target = study.store, study.target
    found = {choice: store.explanation(target, *choice) for choice in choices}
    missing = [c for c in choices if found[c] is None and c not in comparison.reasons]
    if choices != comparison.choices:
        # A cancelled job is not sent again until another choice asks for it.
        comparison.choices = choices
        if comparison.job is not None:
            comparison.job.cancel()
        comparison.job = None
        if missing:
            comparison.job = host.compare_job(session.owner, store, target, missing)
            comparison.seen = 0
        comparison.awaited = bool(missing)
    comparison.maps = tuple(
        ComparedMap(
            choice[0],
            by_name[choice[0]].title,
            choice[1],
            found[choice],
            comparison.reasons.get(choice, "" if comparison.awaited else "It was cancelled."),
        )
        for choice in choices
    )
    return comparison


def _collect(comparison: Comparison) -> None:
    """Note why methods found nothing; what they found is in the store."""
    if comparison.job is None:
        return
    events = cast("Sequence[MethodOutcome]", comparison.job.events)
    for outcome in events[comparison.seen :]:
        if outcome.reason:
            comparison.reasons[outcome.method, outcome.settings] = outcome.reason
        if outcome.lasting:
            comparison.lasting_reasons[outcome.method, outcome.settings] = outcome.reason
    comparison.seen = len(events)
    if comparison.job.error is not None and comparison.job.state == "failed":
        for choice in comparison.choices:
            comparison.reasons.setdefault(choice, str(comparison.job.error))
