"""A bell in the middle of the image: a control."""

from dataclasses import dataclass

import numpy as np
import torch

from medgemma_dash.core.centre_prior import centre_map
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import NoOptions
from medgemma_dash.methods.specification import MethodSpec


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

    def rows(self, call: Call[NoOptions]) -> Relevance:
        """See `Method.rows`."""
        call.at()
        bells = np.concatenate([centre_map(grid).ravel() for grid in call.grids])
        values = torch.from_numpy(bells).expand(len(call.targets), -1)
        return call.relevance(call.on_images(values))


METHOD = CentrePrior()
