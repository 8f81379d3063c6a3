"""Deletion curves against Quantus' PixelFlipping, an implementation by other people.

Quantus is no dependency, for it brings a second OpenCV over the one that is here: the test runs
where it is installed without its own (`pip install --no-deps quantus`, and what it imports).
"""

import warnings

import numpy as np
import pytest
import torch

from medgemma_dash.metrics.removal_curves import ranking_of, removal_curves
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.faithfulness.removals import TargetScore
from tests.random_answers import case

quantus = pytest.importorskip("quantus")


class OfKeptCells(torch.nn.Module):
    """Of cells that are kept (1) or not (0) the target's probability, and that of all else."""

    def __init__(self, score):
        super().__init__()
        self.score = score

    def forward(self, kept):
        s = torch.from_numpy(self.score(kept.flatten(1).numpy() == 0))
        return torch.stack([s, torch.log(-torch.expm1(s))], dim=1)


@pytest.mark.parametrize("step", [1, 2])
def test_a_deletion_curve_is_what_pixel_flipping_gives(step):
    found = case("six layers, heads 8 on 4")
    target = choose_target(found.model, found.answer, phrase="right")
    removal = TargetScore(found.answer, target, "mean token")
    rows, cols = found.answer.grid
    image = np.random.default_rng(5).random((rows, cols), np.float32)

    def score(masks):
        return removal(found.model, masks)

    flipping = quantus.PixelFlipping(
        features_in_step=step,
        perturb_baseline=0.0,  # "black" is the least of the picture itself
        normalise=False,
        disable_warnings=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (theirs,) = flipping(
            model=OfKeptCells(score).eval(),
            x_batch=np.ones((1, 1, rows, cols), np.float32),
            y_batch=np.array([0]),
            a_batch=image[None, None],
            device="cpu",
            channel_first=True,
            softmax=True,
        )
    shares = [count / image.size for count in range(0, image.size + 1, step)]
    (ours,) = removal_curves(score, [ranking_of(image)], shares)
    np.testing.assert_allclose(np.exp(ours.deletion[1:]), theirs, rtol=1e-5)
