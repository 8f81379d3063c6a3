"""A bell in the middle of the image: a control."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.centre_prior import centre_map
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.specification import MethodSpec, Rows
from medgemma_dash.models.replay import Replay


@dataclass(frozen=True)
class CentrePrior:
    """The same bell for every word."""

    spec = MethodSpec(
        name="centre",
        title="Centre prior (control)",
        card="A control, not an explanation, and never shown in place of a method that found "
        "nothing. A bell around the middle of the picture, the same for every word: where findings "
        "tend to be. A map that points no better than this one may only show where to look in "
        "general.",
        formula=r"r_{yx} = \exp\!\left(-\tfrac{1}{2}\left[\left(\tfrac{y - y_0}{n_y / 4}\right)^2"
        r" + \left(\tfrac{x - x_0}{n_x / 4}\right)^2\right]\right)",
        source="No paper: a control that figures stand beside",
        cost="0",
        needs="nothing",
        family="control",
        signed=False,
        contrastive=False,
        per_token=False,
    )

    def rows(
        self,
        replay: Replay,
        answer: Answer,
        targets: Sequence[Target],
        settings: tuple[tuple[str, str], ...],
        check: Check | None = None,
    ) -> Rows:
        """See `Method.rows`."""
        if check is not None:
            check()
        start, stop = answer.image_span
        relevance = torch.zeros(len(targets), replay.sequence)
        relevance[:, start:stop] = torch.from_numpy(centre_map(answer.grid)).flatten()
        return Rows(relevance)


METHOD = CentrePrior()
