"""A line that counts, where a person is looking at the terminal."""

import sys

from medgemma_dash.cli.output import say


def show_progress(done: int, total: int) -> None:
    """Rewrite the counter on standard error; silent when that is no terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        end = "\n" if done >= total else ""
        say(f"\r{done} of {total}", end=end, error=True)
