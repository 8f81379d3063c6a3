"""Removal figures as the MedGemma Visualizer documentation published them, to stand beside ours.

They are ratios and means of log-probabilities s <= 0, and so have traits that ours have not: the
insertion can never reach its target, which is above 0, and the sufficiency s(kept) / s grows when
the kept picture does worse. They are shown because others report them, never judged by.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from medgemma_dash.metrics.faithfulness import TOP_SHARE
from medgemma_dash.metrics.removal_curves import THRESHOLDS, RemovalCurves

TARGETS: Mapping[str, float] = MappingProxyType(
    {
        "deletion drop": 0.5,
        "insertion log-probability": 0.3,
        "comprehensiveness": 0.3,
        "sufficiency": 0.2,
    }
)


def published_forms(curves: RemovalCurves) -> dict[str, float]:
    """By the names of `TARGETS`; the relative ones are not a number where s is 0.

    The first two are means over the thresholds of 10 to 90%.
    """
    s = curves.whole
    without, kept = curves.at("deletion", TOP_SHARE), curves.at("insertion", TOP_SHARE)
    return {
        "deletion drop": float(np.mean([s - curves.at("deletion", k) for k in THRESHOLDS])),
        "insertion log-probability": float(
            np.mean([curves.at("insertion", k) for k in THRESHOLDS])
        ),
        "comprehensiveness": (s - without) / abs(s) if s else float("nan"),
        "sufficiency": kept / s if s else float("nan"),
    }
