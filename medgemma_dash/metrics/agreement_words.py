"""What the judged pairs of several maps say together, in sentences from their numbers."""

from collections.abc import Mapping, Sequence

import numpy as np

from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES
from medgemma_dash.metrics.agreement_controls import JudgedAgreement
from medgemma_dash.metrics.agreement_square import telling_decimals

MOST_NAMED = 3  # pairs in a sentence; the others stand in the table

Named = tuple[str, JudgedAgreement]


def verdicts(
    titles: Sequence[str], pairs: Mapping[tuple[int, int], JudgedAgreement], measure: str
) -> str:
    """Which maps are alike beyond all controls, and what the others fail at.

    pairs: of `judged_pairs`, by this measure of `AGREEMENT_MEASURES`.
    """
    title = AGREEMENT_MEASURES[measure].title
    named = {pair: f"{titles[pair[0]]} and {titles[pair[1]]}" for pair in pairs}
    told: list[Named] = [(named[pair], one) for pair, one in pairs.items() if one.judged]
    if not told:
        if any(np.isfinite(one.low) for one in pairs.values()):
            return (
                f"By {title}, no pair is judged: one map or both know nothing of the model. Their "
                "numbers are shown."
            )
        return f"No two of these maps can be compared: {title} is not defined for them."
    if len(told) == 1:
        ((pair, found),) = told
        return f"By {title}, {pair} are {found.verdict} ({_numbers(found)}).{_apart(pairs)}"
    alike = _nearest_first([one for one in told if one[1].alike])
    first = (
        f"By {title}, alike: {_listed(alike)}."
        if alike
        else f"By {title}, none of {len(told)} pairs is clearly more alike than controls are."
    )
    return first + "".join(_failed(told)) + _apart(pairs)


def agreement_summary(
    titles: Sequence[str], pairs: Mapping[tuple[int, int], JudgedAgreement], measure: str
) -> str:
    """Whether the maps agree, in one sentence; "" where no pair is judged."""
    told = [(pair, one) for pair, one in pairs.items() if one.judged]
    if not told:
        return ""
    title = AGREEMENT_MEASURES[measure].title
    alike = [(pair, one) for pair, one in told if one.alike]
    if len(told) == 1:
        return verdicts(titles, pairs, measure)
    if not alike:
        return (
            f"No two of these maps agree: by {title}, none of {len(told)} pairs is clearly more "
            "alike than controls are."
        )
    named = _nearest_first([(f"{titles[i]} and {titles[j]}", one) for (i, j), one in alike])
    most = f"most clearly {named[0][0]} ({_numbers(named[0][1])})"
    if len(alike) == len(told):
        return f"The maps agree: by {title}, all {len(told)} pairs are alike, {most}."
    friends = {place for pair, _ in alike for place in pair}
    alone = [titles[place] for place in sorted({p for pair, _ in told for p in pair} - friends)]
    tail = f"; {', '.join(alone)} {'is' if len(alone) == 1 else 'are'} like none" if alone else ""
    return (
        f"The maps agree in part: by {title}, {len(alike)} of {len(told)} pairs are alike beyond "
        f"controls, {most}{tail}."
    )


def _failed(told: Sequence[Named]) -> list[str]:
    """The pairs that are not alike, by what they fail at; those named that only a control holds."""
    said = []
    for control in ("a map in the centre", "an even map"):
        held = [one for one in told if one[1].verdict == f"no more alike than {control}"]
        if held:
            said.append(
                f" No nearer to each other than one of them is to {control}: {_listed(held)}."
            )
    chance = sum(one.verdict.endswith("a random map") for _, one in told)
    if chance:
        are = "is" if chance == 1 else "are"
        said.append(
            f" {chance} of {len(told)} pairs {are} not clearly nearer than displaced maps are."
        )
    return said


def _apart(pairs: Mapping[tuple[int, int], JudgedAgreement]) -> str:
    controls = any(one.verdict == "a control, not judged" for one in pairs.values())
    return " Pairs with a control are shown, not judged." if controls else ""


def _nearest_first(named: Sequence[Named]) -> list[Named]:
    return sorted(named, key=lambda one: one[1].margin, reverse=True)


def _listed(named: Sequence[Named]) -> str:
    said = "; ".join(f"{pair} ({_numbers(one)})" for pair, one in named[:MOST_NAMED])
    return f"{said} and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else said


def _numbers(found: JudgedAgreement) -> str:
    control = found.failed_at
    ends = (found.low, found.high) if control is None else (found.low, found.high, control[1])
    digits = telling_decimals(found.value, ends)
    value, low, high = (f"{one:.{digits}f}" for one in (found.value, found.low, found.high))
    beside = "" if control is None else f"{control[0]} {control[1]:.{digits}f}, "
    return f"{value}, {beside}displaced {low} to {high}"
