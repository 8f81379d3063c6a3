"""The line about memory: what was held by row 20, and by the last."""

import re

import numpy as np

from medgemma_dash.cli.memory import MEBIBYTE, PeakMemory, peak_mebibytes


def test_memory_that_grows_after_row_20_is_told() -> None:
    memory = PeakMemory()
    memory(20, 40)
    # Written to, so that it is held; more than the peak so far.
    grown = np.ones(int((peak_mebibytes() + 64) * MEBIBYTE), np.uint8)
    memory(40, 40)
    early, last = map(int, re.findall(r"(\d+) MB", memory.line()))
    assert last >= early + 64
    assert grown.all()
    assert memory.line().endswith("up to row 40.")


def test_a_short_run_says_nothing() -> None:
    memory = PeakMemory()
    memory(19, 20)
    memory(20, 20)
    assert memory.line() == ""
