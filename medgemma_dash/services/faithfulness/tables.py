"""The tables of a faithfulness record, from what was scored."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from medgemma_dash.metrics.chance import Chance, Verdict, better_than_chance, chance_of, over_all
from medgemma_dash.metrics.published_forms import TARGETS, published_forms
from medgemma_dash.metrics.removal_curves import (
    CURVES,
    FIGURES,
    MaskPlan,
    RemovalCurves,
    RemovalFigures,
    curves_of,
    figures_of,
)
from medgemma_dash.services.faithfulness.plan import (
    BLURRED,
    CENTRE,
    LEAST_IMAGE_EFFECT,
    RANDOM,
    REMOVALS,
)

METHOD = "method"


@dataclass(frozen=True)
class Ranked:
    """Whose ranking it is: a method's, or one draw of a control."""

    kind: str
    name: str
    draw: int


@dataclass(frozen=True, eq=False)
class Tested:
    """All rankings under one removal."""

    removal: str
    ranked: Sequence[Ranked]
    curves: Sequence[RemovalCurves]
    figures: Sequence[RemovalFigures] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "figures", [figures_of(one) for one in self.curves])

    @classmethod
    def of(
        cls, removal: str, ranked: Sequence[Ranked], plan: MaskPlan, scores: np.ndarray
    ) -> "Tested":
        """From the scores of the plan's masks."""
        return cls(removal, ranked, curves_of(plan, scores))

    @property
    def image_effect(self) -> float:
        """What the whole image gives the target's log-probability."""
        first = self.curves[0]
        return first.whole - float(first.deletion[-1])

    def values(self, kind: str, figure: str) -> list[float]:
        """One figure of every draw of a kind."""
        both = zip(self.ranked, self.figures, strict=True)
        return [getattr(figures, figure) for one, figures in both if one.kind == kind]

    def chance(self, kind: str, figure: str = "gain") -> Chance:
        """What that kind of random ranking gives."""
        return chance_of(self.values(kind, figure))

    def verdict(self, figures: RemovalFigures) -> Verdict:
        """See `better_than_chance`."""
        chances = [self.chance(RANDOM), self.chance(BLURRED)]
        return better_than_chance(figures.gain, self.image_effect, LEAST_IMAGE_EFFECT, chances)

    @property
    def methods(self) -> dict[str, RemovalFigures]:
        """Each method's figures."""
        both = zip(self.ranked, self.figures, strict=True)
        return {one.name: figures for one, figures in both if one.kind == METHOD}


def tables_of(
    tests: Sequence[Tested],
    titles: Mapping[str, str],
    failures: Mapping[str, str],
    not_removed: Mapping[str, str],
) -> dict[str, pd.DataFrame]:
    """All but "sanity". titles: of every method asked for; failures: why one of them has no map.

    not_removed: why a removal cannot be had.
    """
    dependence = [_dependence(one) for one in tests]
    dependence += [
        {"removal": removal, "space": REMOVALS[removal], "depends": False, "failure": reason}
        for removal, reason in not_removed.items()
    ]
    return {
        "dependence": pd.DataFrame(dependence),
        "methods": pd.DataFrame([_method(name, titles, failures, tests) for name in titles]),
        "curves": pd.concat([_curves(one) for one in tests], ignore_index=True),
        "summary": pd.DataFrame([row for one in tests for row in _summary(one)]),
        "chance": pd.DataFrame([row for one in tests for row in _chance(one)]),
        "agreement": _agreement(tests),
        "published": pd.DataFrame([row for one in tests for row in _published(one)]),
    }


def _dependence(test: Tested) -> dict[str, object]:
    first = test.curves[0]
    without = float(first.deletion[-1])
    return {
        "removal": test.removal,
        "space": REMOVALS[test.removal],
        "probability": float(np.exp(first.whole)),
        "log_probability": first.whole,
        "probability_without": float(np.exp(without)),
        "log_probability_without": without,
        "image_effect": test.image_effect,
        "depends": test.image_effect >= LEAST_IMAGE_EFFECT,
        "failure": "",
    }


def _method(
    name: str, titles: Mapping[str, str], failures: Mapping[str, str], tests: Sequence[Tested]
) -> dict[str, object]:
    failed = name in failures
    # A removal that takes nothing, even of the whole image, tests no map.
    able = [test for test in tests if test.image_effect >= LEAST_IMAGE_EFFECT]
    verdict = "" if failed else over_all([test.verdict(test.methods[name]) for test in able])
    return {
        "method": name,
        "title": titles[name],
        "verdict": verdict,
        "failure": failures.get(name, ""),
    }


def _curves(test: Tested) -> pd.DataFrame:
    parts = []
    for one, curves in zip(test.ranked, test.curves, strict=True):
        for curve in CURVES:
            scores = getattr(curves, curve)
            parts.append(
                pd.DataFrame(
                    {
                        "method": one.name,
                        "kind": one.kind,
                        "draw": one.draw,
                        "removal": test.removal,
                        "curve": curve,
                        "share": curves.shares,
                        "probability": np.exp(scores),
                        "log_probability": scores,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _summary(test: Tested) -> list[dict[str, object]]:
    """A line for each method and each kind of control, of which it is the mean over the draws."""
    band = test.chance(RANDOM)
    lines = [
        _line(test, name, METHOD, asdict(figures), band, test.verdict(figures))
        for name, figures in test.methods.items()
    ]
    for kind in (RANDOM, CENTRE, BLURRED):
        means = {figure: float(np.mean(test.values(kind, figure))) for figure in FIGURES}
        # The centre knows nothing of the model either, and is judged as a map is.
        verdict = test.verdict(RemovalFigures(**means)) if kind == CENTRE else ""
        lines.append(_line(test, kind, kind, means, band, verdict))
    return lines


def _line(
    test: Tested, name: str, kind: str, figures: Mapping[str, float], band: Chance, verdict: str
) -> dict[str, object]:
    gain = figures["gain"]
    others = {figure: value for figure, value in figures.items() if figure != "gain"}
    return {
        "method": name,
        "kind": kind,
        "removal": test.removal,
        **others,
        "low": band.low,
        "high": band.high,
        "gain": gain,
        "verdict": verdict,
    }


def _chance(test: Tested) -> list[dict[str, object]]:
    return [
        {"kind": kind, "removal": test.removal, "figure": figure}
        | asdict(test.chance(kind, figure))
        for kind in (RANDOM, BLURRED)
        for figure in FIGURES
    ]


def _agreement(tests: Sequence[Tested]) -> pd.DataFrame:
    """Whether two removals rank the methods alike, by their gain."""
    lines = []
    for first, second in combinations(tests, 2):
        gains = [[figures.gain for figures in one.methods.values()] for one in (first, second)]
        several = len(gains[0]) > 1
        lines.append(
            {
                "first": first.removal,
                "second": second.removal,
                "methods": len(gains[0]),
                "kendall": float(kendalltau(*gains).statistic) if several else np.nan,
                "same_best": int(np.argmax(gains[0])) == int(np.argmax(gains[1])),
            }
        )
    columns = ["first", "second", "methods", "kendall", "same_best"]
    return pd.DataFrame(lines, columns=columns)


def _published(test: Tested) -> list[dict[str, object]]:
    """Of a control the mean over its draws."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for one, curves in zip(test.ranked, test.curves, strict=True):
        found.setdefault((one.name, one.kind), []).append(published_forms(curves))
    return [
        {
            "method": name,
            "kind": kind,
            "removal": test.removal,
            "figure": figure,
            "value": float(np.mean([form[figure] for form in forms])),
            "target": target,
        }
        for (name, kind), forms in found.items()
        for figure, target in TARGETS.items()
    ]
