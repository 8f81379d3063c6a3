"""What was promised of the costs, and whether it was kept here."""

from typing import Literal

Sense = Literal["<", "<=", ">="]


def claim_line(label: str, value: float, sense: Sense, limit: float, left_out: str = "") -> str:
    """One line of the table: the ratio measured, the limit, and yes or NO.

    left_out: what could not be measured and is not in the ratio.
    """
    met = {"<": value < limit, "<=": value <= limit, ">=": value >= limit}[sense]
    without = f", without {left_out}" if left_out else ""
    return f"    {label:36}{value:8.2f}  {sense} {limit:g}  {'yes' if met else 'NO'}{without}"
