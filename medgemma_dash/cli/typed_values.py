"""Values as they are typed on the command line; each reader refuses nonsense in one short line."""

import argparse
import re

from medgemma_dash.core.errors import quoted
from medgemma_dash.core.paper import NARROWEST_MM, WIDEST_MM

MOST = 10**12  # of anything that is counted


def read_span(text: str) -> tuple[int, int]:
    try:
        start, stop = (int(part) for part in text.split(":"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not A:B, such as 2:6") from None
    return start, stop


def read_box(text: str) -> tuple[float, float, float, float]:
    number = r"\s*([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*"
    found = re.fullmatch(",".join([number] * 4), text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not X0,Y0,X1,Y1, such as 10,20,60,80")
    left, top, right, bottom = map(float, found.groups())
    if left >= right or top >= bottom:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is empty: X0 < X1 and Y0 < Y1 is needed")
    return left, top, right, bottom


def read_setting(text: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"(\w+)\.(\w+)=(.+)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not METHOD.OPTION=CHOICE")
    method, option, choice = found.groups()
    return method, option, choice


def read_option(text: str) -> tuple[str, str]:
    option, separator, choice = text.partition("=")
    if not (option and separator and choice):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not OPTION=CHOICE")
    return option, choice


def read_count(text: str) -> int:
    number = read_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number above 0")
    return number


def read_width(text: str) -> float:
    width = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else 0.0
    if not NARROWEST_MM <= width <= WIDEST_MM:
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not a width of {NARROWEST_MM} to {WIDEST_MM} mm"
        )
    return width


def read_port(text: str) -> int:
    port = read_count(text)
    if port > 65535:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a port: at most 65535")
    return port


def read_number(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number")
    if len(text) > len(str(MOST)) or abs(int(text)) > MOST:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is beyond {MOST:,}")
    return int(text)
