"""Numbers as a reader sees them, alike on pages, in figures, reports and the terminal."""

from math import isfinite

DIGITS = 3


def number(value: float) -> str:
    """A raw relevance in three significant digits: 0.0100, 1.25, 2.80e-5."""
    if not isfinite(value):
        return "–"
    if value == 0:
        return "0"
    # Rounded first: 0.99996 is 1.00, and 9,999.6 has one digit more than it seems.
    mantissa, exponent = f"{value:.{DIGITS - 1}e}".split("e")
    power = int(exponent)
    if -3 <= power < DIGITS:
        return f"{float(value):.{DIGITS - 1 - power}f}"
    return f"{mantissa}e{power}"


def nats(value: float) -> str:
    """In two decimals; what rounds to nothing has no sign."""
    return f"{round(value, 2) + 0.0:.2f}"


def equals(said: str) -> str:
    """A number behind the name of what it is of: "= 0.97", and a bound as it is, "> 0.99"."""
    return said if said.startswith(("<", ">")) else f"= {said}"


def share_percent(share: float) -> str:
    """A share in percent, with a decimal where it is small."""
    if 0 < share < 0.0005:
        return "< 0.1%"
    return f"{share:.0%}" if share == 0 or share >= 0.1 else f"{share:.1%}"
