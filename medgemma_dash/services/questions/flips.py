"""What other wordings of a question change: in the answer, in the margin, in the map.

A group is one image and one baseline question. Its baseline wording counts with the phrasings
that were shown and, apart, with those that were withheld.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from medgemma_dash.core.progress import finish
from medgemma_dash.metrics.agreement import agreement
from medgemma_dash.services.questions.scores import patients_of, share

GROUPS_AT_A_TIME = 200  # a tenth of a second
PHRASINGS = ("shown", "withheld")
CHANGES = ("yes_to_yes", "no_to_no", "yes_to_no", "no_to_yes")
_CHANGE_COLUMNS = [
    "group", "phrasing", "strategy", "baseline_row", "row", "change", "margin_change",
    "js_divergence",
]  # fmt: skip
_GROUP_COLUMNS = [
    "group", "phrasing", "image_sha256", "question", "yes", "no", "uncertain", "consistency",
    "flipped", "margin_change",
]  # fmt: skip
_FLIP_COLUMNS = [
    "phrasing", "strategy", "groups", "flipped", "low", "high", "consistency", "pairs",
    *CHANGES, "other", "margin_change",
]  # fmt: skip

Maps = Mapping[int, npt.NDArray[np.float32]]


def change_table(rows: pd.DataFrame, maps: Maps) -> pd.DataFrame:
    """A row for each wording beside its group's baseline wording.

    maps: by row; without two of one shape there is no divergence.
    """
    return finish(change_steps(rows, maps))


def change_steps(rows: pd.DataFrame, maps: Maps) -> Generator[None, None, pd.DataFrame]:
    """As `change_table`, some groups at a time; yields between them."""
    found = []
    for place, (_, members) in enumerate(_groups(rows)):
        if place % GROUPS_AT_A_TIME == GROUPS_AT_A_TIME - 1:
            yield
        baseline = members[members["phrasing"] == "baseline"]
        if not len(baseline):
            continue
        first = baseline.iloc[0]
        for _, other in members[members["phrasing"] != "baseline"].iterrows():
            found.append(
                {
                    "group": first["group"],
                    "phrasing": other["phrasing"],
                    "strategy": other["strategy"],
                    "baseline_row": first["row"],
                    "row": other["row"],
                    "change": change_of(first["parsed"], other["parsed"]),
                    "margin_change": other["margin"] - first["margin"],
                    "js_divergence": _divergence(maps.get(first["row"]), maps.get(other["row"])),
                }
            )
    return pd.DataFrame(found, columns=_CHANGE_COLUMNS)


def change_of(before: str, after: str) -> str:
    """One of CHANGES, or "other" where an answer is neither yes nor no."""
    change = f"{before}_to_{after}"
    return change if change in CHANGES else "other"


def group_table(rows: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """A row for each group and kind of phrasing that it was asked in."""
    return finish(group_steps(rows, changes))


def group_steps(rows: pd.DataFrame, changes: pd.DataFrame) -> Generator[None, None, pd.DataFrame]:
    """As `group_table`, some groups at a time; yields between them."""
    found = []
    by_group = dict(iter(changes.groupby(["group", "phrasing"])))
    for place, (group, members) in enumerate(_groups(rows)):
        if place % GROUPS_AT_A_TIME == GROUPS_AT_A_TIME - 1:
            yield
        for phrasing in PHRASINGS:
            if not (members["phrasing"] == phrasing).any():
                continue
            some = members[members["phrasing"].isin(("baseline", phrasing))]
            counts = Counter(some["parsed"])
            changed = by_group.get((group, phrasing))
            found.append(
                {
                    "group": group,
                    "phrasing": phrasing,
                    "image_sha256": some["image_sha256"].iloc[0],
                    "question": _question(some),
                    **{answer: counts[answer] for answer in ("yes", "no", "uncertain")},
                    "consistency": max(counts.values()) / len(some),
                    "flipped": len(counts) > 1,
                    "margin_change": np.nan
                    if changed is None
                    else float(changed["margin_change"].abs().mean()),
                }
            )
    return pd.DataFrame(found, columns=_GROUP_COLUMNS)


def flip_table(rows: pd.DataFrame, groups: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """How often answers are not all equal: over each kind of phrasing, then over each strategy.

    Over a strategy a group flips where one of its wordings has another answer than the baseline.
    """
    clusters = _clusters(rows)
    found = []
    for phrasing in PHRASINGS:
        some = groups[groups["phrasing"] == phrasing]
        if not len(some):
            continue
        changed = changes[changes["phrasing"] == phrasing]
        flips = some["flipped"].to_numpy(np.float64)
        consistency = float(some["consistency"].mean())
        found.append(_flips(phrasing, "", some["group"], flips, consistency, changed, clusters))
        for strategy in sorted(set(changed["strategy"]) - {""}):
            part = changed[changed["strategy"] == strategy]
            held = part["change"].isin(("yes_to_yes", "no_to_no")).groupby(part["group"])
            flips = 1.0 - held.all().to_numpy(np.float64)
            found.append(
                _flips(phrasing, strategy, pd.Series(sorted(held.groups)), flips,
                       float(held.mean().mean()), part, clusters)
            )  # fmt: skip
    return pd.DataFrame(found, columns=_FLIP_COLUMNS)


def map_table(rows: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """How far maps are apart where the answer flips, and where it holds."""
    clusters = _clusters(rows)
    found = []
    known = changes[changes["js_divergence"].notna()]
    for phrasing in PHRASINGS:
        for what in ("flips", "holds"):
            holds = known["change"].isin(("yes_to_yes", "no_to_no"))
            some = known[(known["phrasing"] == phrasing) & (holds == (what == "holds"))]
            if not len(some):
                continue
            values = some["js_divergence"].to_numpy(np.float64)
            mean = share(values, clusters.loc[some["group"]].to_numpy())
            found.append(
                {"phrasing": phrasing, "answer": what, "pairs": len(some),
                 "js_divergence": mean.mean, "low": mean.low, "high": mean.high}
            )  # fmt: skip
    columns = ["phrasing", "answer", "pairs", "js_divergence", "low", "high"]
    return pd.DataFrame(found, columns=columns)


def _flips(
    phrasing: str,
    strategy: str,
    groups: pd.Series,
    flips: npt.NDArray[np.float64],
    consistency: float,
    changed: pd.DataFrame,
    clusters: pd.Series,
) -> dict[str, object]:
    interval = share(flips, clusters.loc[groups].to_numpy())
    counts = Counter(changed["change"])
    return {
        "phrasing": phrasing,
        "strategy": strategy,
        "groups": len(groups),
        "flipped": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "consistency": consistency,
        "pairs": len(changed),
        **{change: counts[change] for change in (*CHANGES, "other")},
        "margin_change": float(changed["margin_change"].abs().mean()),
    }


def _groups(rows: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """The answered rows of each group, in the table's order."""
    for group, members in rows[rows["parsed"] != ""].groupby("group", sort=True):
        yield int(group), members


def _question(members: pd.DataFrame) -> str:
    """Its baseline question; where the table names none, the first wording."""
    if "baseline_question" in members and members["baseline_question"].iloc[0]:
        return str(members["baseline_question"].iloc[0])
    return str(members["asked"].iloc[0])


def _clusters(rows: pd.DataFrame) -> pd.Series:
    """A number for each group's patient, or image; by group."""
    _, numbers = np.unique(patients_of(rows).to_numpy(str), return_inverse=True)
    return pd.Series(numbers, index=rows["group"]).groupby(level=0).first()


def _divergence(
    first: npt.NDArray[np.float32] | None, second: npt.NDArray[np.float32] | None
) -> float:
    if first is None or second is None or first.shape != second.shape:
        return float("nan")
    return agreement(first, second).divergence
