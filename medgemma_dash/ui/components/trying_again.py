"""What a page does about a job of its own that ended without a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medgemma_dash.services.runtime.queue import ABANDONED
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from medgemma_dash.services.runtime.job import Job


def was_left(job: Job[Any]) -> bool:
    """Whether it ended because the page was left; then nobody wanted it to end."""
    return job.error is not None and str(job.error) == ABANDONED


def problem_line(reason: str, words: str, again: Callable[[], None], *, key: str) -> None:
    """Why there is no result, and a way to ask once more. words: of the action."""

    def choose() -> None:
        if chosen_action(key) == "again":
            again()

    line = [Segment(f"{reason} "), Segment(words, "action", "again")]
    rich_line([line], key=key, tone="caution", announce="status", on_choose=choose)
