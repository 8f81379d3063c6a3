"""A line that counts, where a person is looking at the terminal."""

import sys


def show_progress(done: int, total: int) -> None:
    """Rewrite the counter on standard error; silent when that is no terminal."""
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{done} of {total}", end=end, file=sys.stderr, flush=True)
