"""What the answers to a set are worth, each figure beside its blind floor."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medgemma_dash.core.progress import finish
from medgemma_dash.metrics.bootstrap import Interval, clustered_interval
from medgemma_dash.metrics.ranking import clustered_auc

# In the order in which they are listed. The margin's sign is the decision without what is said.
MEASURES = ("accuracy", "sensitivity", "specificity", "decision_accuracy", "auc")
CONDITIONS = ("", "blank", "swapped")  # the image as it is, blanked, another row's
PARTS = (("all", ""), ("finding", "finding"), ("strategy", "strategy"))
LEVEL = 0.95
_NONE = Interval(float("nan"), float("nan"), float("nan"))


def patients_of(rows: pd.DataFrame) -> pd.Series:
    """What a row's observations hang together by: its patient where known, else its image."""
    images = rows["image_sha256"]
    if "subject_id" not in rows:
        return images
    known = rows["subject_id"] != ""
    return images.where(~known, "patient " + rows["subject_id"].astype(str))


def parts_of(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """All rows, those of each finding, and those of each strategy; in what, its name, the rows."""
    for by, column in PARTS:
        if not column:
            yield by, "", rows
            continue
        for name in sorted(set(rows[column]) - {""}):
            yield by, name, rows[rows[column] == name]


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that were answered and whose truth is known."""
    return rows[(rows["parsed"] != "") & (rows["truth"] != "")]


def score_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Each measure over all rows and over parts of them, with 95% intervals; see records.md."""
    return finish(score_steps(rows))


def score_steps(rows: pd.DataFrame) -> Generator[None, None, pd.DataFrame]:
    """As `score_table`, a measure at a time: of many rows an interval takes seconds."""
    known = scored(rows)
    found = []
    for by, name, part in parts_of(known):
        if not len(part):
            continue
        every = [_Part.of(part, condition) for condition in CONDITIONS]
        clusters = int(every[0].clusters.max()) + 1
        for measure in MEASURES:
            line: dict[str, object] = {
                "by": by, "name": name, "measure": measure, "rows": len(part),
                "clusters": clusters,
            }  # fmt: skip
            for condition, one in zip(("value", *CONDITIONS[1:]), every, strict=True):
                interval = one.measured(measure)
                start = "" if condition == "value" else f"{condition}_"
                line |= {
                    condition: interval.mean,
                    f"{start}low": interval.low,
                    f"{start}high": interval.high,
                }
                yield
            found.append(line)
    return pd.DataFrame(found, columns=_COLUMNS)


_COLUMNS = [
    "by", "name", "measure", "rows", "clusters", "value", "low", "high", "blank", "blank_low",
    "blank_high", "swapped", "swapped_low", "swapped_high",
]  # fmt: skip


def confusion_table(rows: pd.DataFrame) -> pd.DataFrame:
    """How often each truth was answered how."""
    found = []
    for by, name, part in parts_of(scored(rows)):
        for truth in ("yes", "no"):
            said = part["parsed"][part["truth"] == truth]
            counts = {answer: int((said == answer).sum()) for answer in ("yes", "no", "uncertain")}
            found.append({"by": by, "name": name, "truth": truth, **counts})
    return pd.DataFrame(found, columns=["by", "name", "truth", "yes", "no", "uncertain"])


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows under one condition.

    right: 1.0 where the answer is right: as it was said with the image, by the sign of the margin
    without, for nothing is generated there. margins: of that condition.
    """

    right: np.ndarray
    decided: np.ndarray
    margins: np.ndarray
    is_yes: np.ndarray
    clusters: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame, condition: str) -> "_Part":
        margins = rows[f"{condition}_margin" if condition else "margin"].to_numpy(np.float64)
        is_yes = (rows["truth"] == "yes").to_numpy(bool)
        decided = np.where(margins == 0, 0.0, (margins > 0) == is_yes)
        decided = np.where(np.isnan(margins), np.nan, decided)
        said = (rows["parsed"] == rows["truth"]).to_numpy(np.float64)
        _, clusters = np.unique(patients_of(rows).to_numpy(str), return_inverse=True)
        return cls(decided if condition else said, decided, margins, is_yes, clusters)

    def measured(self, measure: str) -> Interval:
        if measure == "auc":
            known = ~np.isnan(self.margins)
            if not known.any():
                return _NONE
            some = self.clusters[known]
            found = clustered_auc(self.margins[known], self.is_yes[known], some)
            return found if len(np.unique(some)) > 1 else Interval(found.mean, np.nan, np.nan)
        values = self.decided if measure == "decision_accuracy" else self.right
        known = ~np.isnan(values)
        if measure in ("sensitivity", "specificity"):
            known &= self.is_yes == (measure == "sensitivity")
        return share(values[known], self.clusters[known])


def share(values: np.ndarray, clusters: np.ndarray) -> Interval:
    """A mean of parts of one with its interval; no numbers without observations.

    No interval of one cluster. Where all are 0, or all 1, every draw is the same, and the interval
    is the exact binomial one of as many trials as there are clusters.
    """
    if not len(values):
        return _NONE
    mean, count = float(values.mean()), len(np.unique(clusters))
    if count < 2:
        return Interval(mean, np.nan, np.nan)
    if values.min() == values.max() and mean in (0.0, 1.0):
        reach = 1.0 - ((1.0 - LEVEL) / 2) ** (1 / count)
        return Interval(mean, 0.0, reach) if mean == 0.0 else Interval(mean, 1.0 - reach, 1.0)
    return clustered_interval(values, clusters, level=LEVEL)
