"""What an answer is worth on a film that the model was not trained for, or that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.core.notices import DEMO_ON_UPLOAD
from medgemma_dash.services.explaining.tasks import ASK
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.state.samples import DRAWN_NOTICE, is_drawn
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost


def demo_notice(host: ModelHost) -> None:
    """Say it beside the answer, from when it is being said, where the film is an upload."""
    session = current_session()
    study = session.study
    if study is None or host.state != "ready":
        return
    if is_drawn(study.sample):
        rich_line([[Segment(DRAWN_NOTICE, "warning")]], key="drawn_picture", tone="quiet")
        return
    if study.sample is not None:
        return
    if host.model.is_demo and (study.answered is not None or ASK in session.jobs):
        rich_line([[Segment(DEMO_ON_UPLOAD, "warning")]], key="demo_on_upload", tone="quiet")
