"""What an interventions record says, in numbers and in sentences; no model is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from medgemma_dash.core.record import Record
from medgemma_dash.services.interventions.plan import mask_of

if TYPE_CHECKING:
    import numpy.typing as npt

# Of a logit; less is not told from rounding in bfloat16.
LEAST_CHANGE = 0.05
MARKED_CHANGE = 0.5  # what a word that is set off changes by at least


@dataclass(frozen=True)
class WordChange:
    """A word of the answer; its logit and its changes, summed over its tokens.

    change: with the selection removed or alone kept. whole: with all of the image removed.
    elsewhere: with each displaced selection. keeps: whether the selection is kept, rather than
    removed. probability: as it was, and after. first: what is most probable after in the place of
    its first token.
    """

    text: str
    logit: float
    change: float
    whole: float
    elsewhere: tuple[float, ...]
    keeps: bool
    probability: float
    probability_after: float
    first: str

    @property
    def mean(self) -> float:
        """Of the displaced selections; not a number without one."""
        return float(np.mean(self.elsewhere)) if self.elsewhere else float("nan")

    @property
    def rivals(self) -> int:
        """How many of the displaced selections do as much: removed, change it as far in the same
        direction; kept, leave it as near to what it was.
        """
        if self.keeps:
            own = abs(self.change) + LEAST_CHANGE
            return sum(abs(other) <= own for other in self.elsewhere)
        sign = -1 if self.change < 0 else 1
        own = abs(self.change) - LEAST_CHANGE
        return sum(sign * other >= own for other in self.elsewhere)

    @property
    def stands_out(self) -> bool:
        """Whether no displaced selection does as much; of a word whose logit changes by 0.5 or more
        with the selection removed or, where that is kept, with all of the image removed.
        """
        most = abs(self.whole if self.keeps else self.change)
        return bool(self.elsewhere) and most >= MARKED_CHANGE and self.rivals == 0


def word_changes(record: Record) -> tuple[WordChange, ...]:
    """Every word of the answer, in order; control tokens are none."""
    words = record.tables["words"]
    elsewhere = record.tables["elsewhere"]
    by_copy = elsewhere.pivot(index="copy", columns="token", values="logit")
    found = []
    for _, rows in words[~words["special"].astype(bool)].groupby("word", sort=True):
        before, tokens = float(rows["logit"].sum()), rows["token"].tolist()
        others = by_copy[tokens].sum(axis=1) - before if len(by_copy) else ()
        found.append(
            WordChange(
                text="".join(map(str, rows["text"])),
                logit=before,
                change=float(rows["logit_after"].sum()) - before,
                whole=float(rows["logit_without"].sum()) - before,
                elsewhere=tuple(map(float, others)),
                keeps=record.plan["how"] == "keep",
                probability=float(rows["probability"].prod()),
                probability_after=float(rows["probability_after"].prod()),
                first=str(rows["first_after"].iloc[0]),
            )
        )
    return tuple(found)


def chosen_words(record: Record) -> tuple[int, ...]:
    """Places, among the words, of those that the plan's target has a token of; of a decision and of
    the whole answer none.
    """
    target, words = record.plan["target"], record.tables["words"]
    if target["kind"] in ("margin", "answer"):
        return ()
    said = words[~words["special"].astype(bool)]
    tokens = said[said["token"].isin(target["token_indices"])]
    numbers = sorted(said["word"].unique())
    return tuple(sorted(numbers.index(number) for number in tokens["word"].unique()))


def band(word: WordChange) -> tuple[float, float, float] | None:
    """Least, mean and most change by the displaced selections."""
    if not word.elsewhere:
        return None
    return min(word.elsewhere), word.mean, max(word.elsewhere)


def selection(record: Record) -> npt.NDArray[np.bool_]:
    """(rows, columns): the cells that were removed or kept."""
    return mask_of(record.plan["cells"], record.plan["grid"])


def selection_line(record: Record) -> str:
    """What was done, in one sentence."""
    plan, chosen = record.plan, selection(record)
    count, of = int(chosen.sum()), chosen.size
    others = "" if plan["how"] == "remove" else " and all others are removed"
    verb = "are removed" if plan["how"] == "remove" else "are kept"
    by = {"mean token": "the mean image token", "another patient": "another patient's tokens"}
    means = by.get(plan["removal"], plan["removal"])
    verb = verb.replace("are", "is") if count == 1 else verb
    return f"{count} of {of} patches {verb}{others}, by {means}."


def change_line(record: Record) -> str:
    """What becomes of the word that changes most, beside the same shape elsewhere; with patches
    kept, of the word that all of the image removed changes most.
    """
    words, keeps = word_changes(record), record.plan["how"] == "keep"
    if not words:
        return "The answer has no words."
    most = max(words, key=lambda word: abs(word.whole if keeps else word.change))
    if abs(most.whole if keeps else most.change) < LEAST_CHANGE:
        means = "Without any of the image no" if keeps else "No"
        return f"{means} word's logit changes by {LEAST_CHANGE:g} or more."
    was, now = _share(most.probability), _share(most.probability_after)
    goes = f"{_moves(most.change)}, its probability "
    goes += f"stays {was}" if was == now else f"goes from {was} to {now}"
    name = most.text.strip()
    if keeps:
        line = f"Without any of the image the logit of “{name}” {_moves(most.whole)}; with these "
        line += f"patches alone it {goes}."
    else:
        line = f"“{name}” changes most: its logit {goes}."
    count = len(most.elsewhere)
    if not count:
        return f"{line} The selection is too large to stand elsewhere for comparison."
    places = "one other place" if count == 1 else f"{count} other places"
    low, high = min(most.elsewhere), max(most.elsewhere)
    if max(abs(low), abs(high)) < LEAST_CHANGE:
        beside = f"The same shape in {places} changes it by less than {LEAST_CHANGE:g}"
    else:
        beside = f"The same shape in {places} gives {signed(low)}"
        beside += f" to {signed(high)}" if count > 1 else ""
    if most.rivals:
        does = ("keeps", "keep") if keeps else ("takes", "take")
        beside += f"; {most.rivals} of {count} {does[most.rivals > 1]} as much"
    return f"{line} {beside}."


def answers_of(record: Record) -> dict[str, str]:
    """The texts: "before" and "after", and "given" where the answer was."""
    rows = record.tables["answers"]
    return {str(which): str(text) for which, text in zip(rows["which"], rows["text"], strict=True)}


def answer_line(record: Record) -> str:
    """Whether the model now says something else, asked anew."""
    answers = answers_of(record)
    before, after = answers["before"].strip(), answers["after"].strip()
    if before == after:
        return "Asked anew, the model gives the same answer."
    stop = "" if before.endswith((".", "?", "!")) else "."
    return f"Asked anew, the model says “{after or 'nothing'}” in place of “{before}”{stop}"


def box_line(record: Record) -> str:
    """How the selection agrees with the map, in one sentence."""
    box = record.tables["box"].set_index("measure")
    if problem := str(box["problem"].iloc[0]):
        return f"It is scored against no map, because: {problem}"
    energy, pointing = box.loc["energy inside"], box.loc["pointing game"]
    name = str(record.plan["target"]["text"]).strip()
    hit = {1.0: "lies in it", 0.0: "lies outside"}.get(float(pointing["value"]), "is shared")
    if not isfinite(energy["value"]):
        return f"The map of “{name}” has nothing positive to be inside."
    line = (
        f"Of the map of “{name}”, {_percent(energy['value'])} lies in the selection, which is "
        f"{_percent(energy['uniform'])} of the picture"
    )
    if isfinite(energy["displaced"]):
        line += f"; in the same shape elsewhere {_percent(energy['displaced'])} on average"
    return f"{line}. Its peak {hit}."


def _percent(value: float) -> str:
    """Whole percents, and never a false 0."""
    return "under 1%" if 0 < value < 0.005 else f"{value:.0%}"


def lines(record: Record) -> Iterator[str]:
    """Everything in sentences."""
    yield selection_line(record)
    yield change_line(record)
    yield answer_line(record)
    yield box_line(record)


def signed(change: float) -> str:
    """A change in two decimals, by a minus sign, and never a false -0.00."""
    text = f"{change:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text.replace("-", "\u2212")


def _moves(change: float) -> str:
    if abs(change) < LEAST_CHANGE:
        return "holds"
    return f"{'falls' if change < 0 else 'rises'} by {abs(change):.2f}"


def _share(probability: float) -> str:
    if probability > 0.995:
        return "> 0.99"
    if probability < 0.001:
        return "< 0.001"
    return f"{probability:.2f}" if probability >= 0.01 else f"{probability:.3f}"
