"""What a faithfulness record says, in sentences and as curves; no model is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.numbers import nats
from medgemma_dash.core.record import Record
from medgemma_dash.metrics.removal_curves import Curve, ranking_of, removal_masks
from medgemma_dash.services.faithfulness.plan import LEAST_IMAGE_EFFECT, RANDOM

if TYPE_CHECKING:
    import pandas as pd

    from medgemma_dash.metrics.chance import Verdict


_WHAT = {"span": "span", "answer": "answer", "margin": "decision"}


@dataclass(frozen=True)
class MethodVerdict:
    """Whether a method's map does better than chance; removals: under each.

    what: what was tested: "word", "span", "answer" or "decision".
    """

    method: str
    title: str
    what: str
    verdict: Verdict | None
    removals: tuple[tuple[str, Verdict], ...]
    failure: str

    @property
    def text(self) -> str:
        """One line."""
        if self.verdict is None:
            return f"{self.title}: no map, because: {self.failure}"
        each = ", ".join(f"{verdict} by {removal}" for removal, verdict in self.removals)
        apart = f" ({each})" if len({one for _, one in self.removals}) > 1 else ""
        return f"{self.title}: better than chance on this {self.what}: {self.verdict}{apart}."


@dataclass(frozen=True, eq=False)
class CurveBand:
    """Probabilities at some shares: a method's, over the least, mean and most of random rankings.

    method: its name; one line for each in `lines`.
    """

    removal: str
    curve: Curve
    shares: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    lines: tuple[tuple[str, npt.NDArray[np.float64]], ...]


def verdicts_of(record: Record) -> tuple[MethodVerdict, ...]:
    """Of every method that was asked for."""
    summary = record.tables["summary"]
    what = _WHAT.get(record.plan["target"]["kind"], "word")
    found = []
    for row in record.tables["methods"].itertuples():
        own = summary[(summary["method"] == row.method) & (summary["kind"] == "method")]
        each = tuple(zip(own["removal"], own["verdict"], strict=True))
        verdict = cast("Verdict | None", row.verdict or None)
        found.append(MethodVerdict(row.method, row.title, what, verdict, each, row.failure))
    return tuple(found)


def dependence_lines(record: Record) -> tuple[str, ...]:
    """How much the target owes to the image, by each removal of all of it."""
    lines = tuple(dependence_line(record, one) for one in record.tables["dependence"]["removal"])
    note = decision_note(record)
    return (note, *lines) if note else lines


def dependence_line(record: Record, removal: str) -> str:
    """The same by one removal, or why it cannot be had."""
    dependence = record.tables["dependence"]
    (row,) = dependence[dependence["removal"] == removal].itertuples()
    if row.failure:
        return f"By {removal}, nothing could be removed: {row.failure}"
    before, after = digits(row.probability), digits(row.probability_without)
    effect = f"{nats(row.image_effect)} nats (p {before}, {after} without)"
    if row.depends:
        return f"By {removal}, the image gives it {effect}."
    return (
        f"By {removal}, it does not depend on the image: {effect}, less than "
        f"{LEAST_IMAGE_EFFECT:g}. How faithful a map of it is means little."
    )


def digits(probability: float) -> str:
    """A probability with three digits that count, also where the last are zeros."""
    return f"{probability:#.3g}"


def decision_note(record: Record) -> str:
    """Of a margin that fell the other way than it was asked about; else ""."""
    margin = record.plan["target"]["margin"]
    if margin is None or record.tables["dependence"]["probability"].max() >= 0.5:
        return ""
    yes, no = margin["yes_text"], margin["no_text"]
    return (
        f"The decision fell on {no}, and what is tested is what speaks for {yes}: give the two "
        "the other way round to test what it fell for."
    )


def agreement_line(record: Record) -> str:
    """Whether the removals rank the methods alike; "" where there is nothing to compare."""
    pairs = record.tables["agreement"]
    if not len(pairs) or int(pairs["methods"].iloc[0]) < 2:
        return ""
    same = int(pairs["same_best"].sum())
    mean = float(pairs["kendall"].mean())
    known = f", Kendall's tau {mean:.2f} on average" if isfinite(mean) else ""
    return (
        f"{same} of {len(pairs)} pairs of removals name the same best method{known}: what one "
        "removal says alone proves little."
    )


def sanity_lines(record: Record) -> Iterator[str]:
    """What was not passed, check by check, or that all was."""
    checks = record.tables["sanity"]
    if not len(checks):
        yield "No sanity checks were made."
        return
    last = checks.groupby(["check", "method"], sort=False).last().reset_index()
    failed = last[~last["passed"].astype(bool)]
    yield f"{len(last) - len(failed)} of {len(last)} sanity checks are passed."
    for row in failed.itertuples():
        whose = f" of {row.method}" if row.method else ""
        value = ", ".join(filter(None, (f"{row.value:.3g}", row.step)))
        yield f"Not passed: {row.check}{whose} ({value})."


def bands_of(record: Record) -> tuple[CurveBand, ...]:
    """Every removal's deletion and insertion, the methods over the band of random rankings."""
    curves = record.tables["curves"]
    return tuple(
        _band(removal, curve, rows)
        for (removal, curve), rows in curves.groupby(["removal", "curve"], sort=False)
    )


def removed_cells(record: Record, method: str, curve: Curve, share: float) -> npt.NDArray[np.bool_]:
    """(rows, cols): the current image's cells that a method's curve has removed at a share.

    Raises KeyError for a method without a map. Of several images the cells are ranked together.
    """
    current = record.maps[method]
    mask = every_removed_cell(record, method, curve, share)
    shown: npt.NDArray[np.bool_] = mask[-current.size :].reshape(current.shape)
    return shown


def every_removed_cell(
    record: Record, method: str, curve: Curve, share: float
) -> npt.NDArray[np.bool_]:
    """(cells,): the same of all images, image after image."""
    earlier = sorted(name for name in record.maps if name.startswith(f"{method}, image "))
    images = [record.maps[name] for name in (*earlier, method)]
    order = ranking_of(np.concatenate([image.ravel() for image in images]))
    mask: npt.NDArray[np.bool_] = removal_masks(order, curve, [share])[0]
    return mask


def _band(removal: str, curve: Curve, rows: pd.DataFrame) -> CurveBand:
    random = rows[rows["kind"] == RANDOM].groupby("share")["probability"]
    low, mean, high = random.min(), random.mean(), random.max()
    own = rows[rows["kind"] == "method"]
    lines = tuple(
        (name, part["probability"].to_numpy()) for name, part in own.groupby("method", sort=False)
    )
    return CurveBand(
        removal,
        curve,
        low.index.to_numpy(),
        low.to_numpy(),
        mean.to_numpy(),
        high.to_numpy(),
        lines,
    )
