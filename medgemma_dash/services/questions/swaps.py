"""Which other row's image takes the place of a row's own."""

from collections.abc import Mapping, Sequence

from medgemma_dash.services.datasets.questions.rows import QuestionRow

_OTHER = {"yes": "no", "no": "yes"}
_ANY = ""  # no finding has this name


def swap_partners(rows: Sequence[QuestionRow]) -> Mapping[int, int]:
    """For each row with a truth, a row of the other truth and another image: row to row.

    One that asks about the same finding, so that its image says the opposite of what the row asks
    for; where there is none, one about another finding. A row without any is left out. The same
    rows have the same partners.
    """
    known = [row for row in rows if row.can_be_asked and row.truth]
    pools: dict[tuple[str, str], list[QuestionRow]] = {}
    places: dict[int, int] = {}
    for row in known:
        alike = pools.setdefault((row.finding, row.truth), [])
        places[row.row] = len(alike)
        alike.append(row)
        pools.setdefault((_ANY, row.truth), []).append(row)
    ready = {key: _Pool(pool) for key, pool in pools.items()}
    found: dict[int, int] = {}
    for row in known:
        for finding in (row.finding, _ANY):
            pool = ready.get((finding, _OTHER[row.truth]))
            partner = None if pool is None else pool.other(row.image, places[row.row])
            if partner is not None:
                found[row.row] = partner
                break
    return found


class _Pool:
    """Rows of which one with another image is found at once, however many there are."""

    def __init__(self, rows: Sequence[QuestionRow]) -> None:
        self._rows = rows
        count = len(rows)
        self._next = [-1] * count  # the next row, all around, whose image is another
        for place in range(2 * count - 1, -1, -1):
            here, after = place % count, (place + 1) % count
            same = rows[here].image == rows[after].image
            self._next[here] = self._next[after] if same else after

    def other(self, image: str, first: int) -> int | None:
        """The first with another image, counted on from a place, so that all are used."""
        place = first % len(self._rows)
        if self._rows[place].image == image:
            place = self._next[place]
        return None if place < 0 else self._rows[place].row
