"""Which other row's image takes the place of a row's own."""

from collections.abc import Mapping, Sequence

from medgemma_dash.services.datasets.questions.rows import QuestionRow

_OTHER = {"yes": "no", "no": "yes"}


def swap_partners(rows: Sequence[QuestionRow]) -> Mapping[int, int]:
    """For each row with a truth, a row of the other truth and another image: row to row.

    One that asks about the same finding, so that its image says the opposite of what the row asks
    for; where there is none, one about another finding. A row without any is left out. The same
    rows have the same partners.
    """
    known = [row for row in rows if row.can_be_asked and row.truth]
    by_finding: dict[tuple[str, str], list[QuestionRow]] = {}
    by_truth: dict[str, list[QuestionRow]] = {"yes": [], "no": []}
    places: dict[int, int] = {}
    for row in known:
        alike = by_finding.setdefault((row.finding, row.truth), [])
        places[row.row] = len(alike)
        alike.append(row)
        by_truth[row.truth].append(row)
    found: dict[int, int] = {}
    for row in known:
        other = _OTHER[row.truth]
        for some in (by_finding.get((row.finding, other), []), by_truth[other]):
            partner = _partner(row, some, places[row.row])
            if partner is not None:
                found[row.row] = partner.row
                break
    return found


def _partner(row: QuestionRow, some: Sequence[QuestionRow], first: int) -> QuestionRow | None:
    """The first with another image, counted on from the row's own place, so that all are used."""
    every = (some[(first + step) % len(some)] for step in range(len(some)))
    return next((one for one in every if one.image != row.image), None)
