"""`doctor`: one line for each fact about the machine, and the remedy under it."""

import argparse

from medgemma_dash.cli.output import say
from medgemma_dash.core.dependencies import dependencies
from medgemma_dash.services.libraries import Diagnosis, examine_libraries, examine_python

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
WIDTH = len("Other libraries")


def run(options: argparse.Namespace) -> int:
    """Print the diagnoses; the status is 1 when one of them stops the program from working.

    The libraries come first: where one of them does not fit, the rest may not even be imported.
    """
    del options
    failed = [_show(one) for one in (examine_python(), *examine_libraries(dependencies()))]
    from medgemma_dash.services.doctor import examine

    failed += [_show(one) for one in examine()]
    return int(any(failed))


def _show(diagnosis: Diagnosis) -> bool:
    """Print it as soon as it is known; whether it stops the program from working."""
    say(f"{MARKS[diagnosis.status]}  {diagnosis.name:{WIDTH}}  {diagnosis.text}")
    if diagnosis.remedy:
        say(f"      {'':{WIDTH}}  -> {diagnosis.remedy}")
    return diagnosis.status == "fail"
