"""What each figure of a record of questions says, in one sentence; without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.core.counted import counted
from medgemma_dash.services.questions.reading import interval_text

if TYPE_CHECKING:
    import pandas as pd

    from medgemma_dash.core.record import Record

_TITLES = {name: name for name in ("accuracy", "sensitivity", "specificity")} | {"auc": "AUC"}
_PLURAL = {"finding": "findings", "strategy": "strategies"}
NOTHING = "No row with a known truth was answered, so there is no score."


def scores_sentence(record: Record) -> str:
    """How good the answers are, and whether they rest on the image."""
    every = _all(record)
    if "accuracy" not in every.index:
        return NOTHING
    line = every.loc["accuracy"]
    said = (
        f"{_percent(line['value'])} of {counted(int(line['rows']), 'answer')} "
        f"{'is' if line['rows'] == 1 else 'are'} right; without the image, by the sign of the "
        f"margin, {_percent(line['blank'])}"
    )
    if line["swapped"] == line["swapped"]:
        said += f", and {_percent(line['swapped'])} with one of the other truth in its place"
    return f"{said}. {_verdict(every)}"


def _verdict(every: pd.DataFrame) -> str:
    """By the intervals: whether accuracy and AUC stand above what is left without the image."""
    known = [every.loc[name] for name in ("accuracy", "auc")]
    apart = [line["low"] > line["blank_high"] for line in known if line["low"] == line["low"]]
    if not apart:
        return "Too few patients or images to tell whether they rest on the image."
    if all(apart):
        return "So they rest on the image: both intervals lie above the blind ones."
    if any(apart):
        return "Whether they rest on the image is not clear: one interval meets its blind one."
    return "That they rest on the image is not shown: the intervals meet the blind ones."


def truths_sentence(record: Record) -> str:
    """Whether "yes" or "no" is said too easily."""
    every = _all(record)
    if not {"sensitivity", "specificity"} <= set(every.index):
        return NOTHING
    found, spared = (interval_text(every.loc[name], "") for name in ("sensitivity", "specificity"))
    confusion = record.tables["confusion"]
    unsure = int(confusion[confusion["by"] == "all"]["uncertain"].sum())
    says = "says" if unsure == 1 else "say"
    more = f" {counted(unsure, 'answer')} {says} neither." if unsure else ""
    return f"Sensitivity {found}, specificity {spared}.{more}{_left_out(record)}"


def _left_out(record: Record) -> str:
    """The rows that no score counts, and why; "" where all are counted."""
    rows = record.tables["rows"]
    unanswered = int((rows["parsed"] == "").sum())
    untold = int(((rows["parsed"] != "") & (rows["truth"] == "")).sum())
    why = [f"{unanswered:,} not answered"] * bool(unanswered)
    why += [f"{untold:,} without a truth of yes or no"] * bool(untold)
    if not why:
        return ""
    return f" Not counted of {counted(len(rows), 'row')}: {', '.join(why)}."


def parts_sentence(record: Record, by: str, measure: str = "accuracy") -> str:
    """Which finding or strategy is worst and which is best, and how many stand above blind."""
    summary = record.tables["summary"]
    lines = summary[(summary["by"] == by) & (summary["measure"] == measure)]
    lines = lines[lines["value"].notna()]
    title = _TITLES[measure]
    if not len(lines):
        return f"No {by} has rows enough for {title}."
    above = int((lines["low"] > lines["blank_high"]).sum())
    floor = f"by their intervals {above or 'none'} of {len(lines)} above the blind floor"
    if len(lines) == 1:
        floor = f"by its interval {'above' if above else 'not above'} the blind floor"
    least, most = lines["value"].min(), lines["value"].max()
    if least == most:
        names = lines["name"].iloc[0] if len(lines) == 1 else f"all {len(lines)} {_PLURAL[by]}"
        return f"{_capital(title)} is {least:.2f} for {names}; {floor}."
    return (
        f"{_capital(title)} is lowest for {_those(lines, least, by)}, {least:.2f}, and highest "
        f"for {_those(lines, most, by)}, {most:.2f}; {floor}."
    )


def _those(lines: pd.DataFrame, value: float, by: str) -> str:
    """The one that has this value, or how many share it."""
    names = list(lines.loc[lines["value"] == value, "name"])
    return str(names[0]) if len(names) == 1 else f"{len(names)} {_PLURAL[by]}"


def flips_sentence(record: Record) -> str:
    """How often other wordings change the answer, shown and withheld."""
    flips = record.tables["flips"]
    lines = flips[flips["strategy"] == ""]
    if not len(lines):
        return "No question was asked in more than one wording."
    said = [
        f"over {line['phrasing']} wordings {_percent(line['flipped'])} of {line['groups']}"
        for _, line in lines.iterrows()
    ]
    return f"Answers about one image that are not all equal: {', '.join(said)}."


def maps_sentence(record: Record) -> str:
    """Whether maps move more where the answer flips."""
    table = record.tables["map_changes"]
    if not len(table):
        return "This run drew no maps, or no question was asked in two wordings."
    means = {
        answer: (float((some["js_divergence"] * some["pairs"]).sum() / some["pairs"].sum()),
                 int(some["pairs"].sum()))
        for answer, some in table.groupby("answer")
    }  # fmt: skip
    if len(means) < 2:
        (answer,) = means
        value, pairs = means[answer]
        return (
            f"In all {pairs} pairs the answer {answer}; their maps are {value:.3f} nats from the "
            "baseline wording's on average, so nothing can be said of the other kind."
        )
    (flips, many), (holds, more) = means["flips"], means["holds"]
    return (
        f"Where the answer flips, maps are {flips:.3f} nats from the baseline wording's ({many} "
        f"pairs); where it holds, {holds:.3f} ({more} pairs)."
    )


def _all(record: Record) -> pd.DataFrame:
    summary = record.tables["summary"]
    return summary[summary["by"] == "all"].set_index("measure")


def _capital(title: str) -> str:
    return title[0].upper() + title[1:]


def _percent(value: float) -> str:
    return "not known" if value != value else f"{value:.0%}"
