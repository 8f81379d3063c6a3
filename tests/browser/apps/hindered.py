"""Streamlit, with the program's computations held up or starved as a test wants.

What stands in the folder HINDRANCES decides, at the program's own checks for cancellation:

hold-answers        an answer stops after its second token until the file is gone
hold-explanations   an explanation stops in its middle until the file is gone
hold-taking-over    a page's run stops while it takes over an answer until the file is gone
no-memory           the next explanation runs out of memory in its middle; the file goes away

Every finished answer leaves a file there whose name begins with "answered", and a run that is
stopped while it takes one over the file "taking-over".
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from streamlit.web import cli

from medgemma_dash.services.explaining import asking, filling
from medgemma_dash.ui.state import collecting

FOLDER = Path(os.environ["HINDRANCES"])
TOKENS_SAID = 2
CHECKS_BEFORE_THE_MIDDLE = 5  # there is one for every layer, of which the demo model has 12

Check = Callable[[], None]
plain_ask = asking.ask
plain_opening = collecting.opening


def hold(name: str, check: Check) -> None:
    while (FOLDER / name).exists():
        check()
        time.sleep(0.01)


def hindered_ask(
    *arguments: Any, on_token: Callable[[Any], None], check: Check, **rest: Any
) -> Any:
    said = 0

    def count(token: Any) -> None:
        nonlocal said
        said += 1
        on_token(token)

    def checked() -> None:
        check()
        if said == TOKENS_SAID:
            hold("hold-answers", check)

    answer = plain_ask(*arguments, on_token=count, check=checked, **rest)
    (FOLDER / f"answered-{time.monotonic_ns()}").touch()
    return answer


def hindered_opening(*arguments: Any) -> Any:
    if (FOLDER / "hold-taking-over").exists():
        (FOLDER / "taking-over").touch()
        hold("hold-taking-over", check=lambda: None)
    return plain_opening(*arguments)


def hindered(work: Callable[..., Any]) -> Callable[..., Any]:
    named = signature(work)

    def run(*arguments: Any, **options: Any) -> Any:
        given = named.bind(*arguments, **options)
        check, checks = given.arguments["check"], 0

        def checked() -> None:
            nonlocal checks
            check()
            checks += 1
            if checks < CHECKS_BEFORE_THE_MIDDLE:
                return
            hold("hold-explanations", check)
            if (FOLDER / "no-memory").exists():
                (FOLDER / "no-memory").unlink()
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

        given.arguments["check"] = checked
        return work(*given.args, **given.kwargs)

    return run


if __name__ == "__main__":
    asking.ask = hindered_ask
    collecting.opening = hindered_opening
    filling.fill_rows = hindered(filling.fill_rows)
    filling.explain_whole = hindered(filling.explain_whole)
    sys.exit(cli.main())
