"""How far a command is, on standard error."""

import sys
import time
from dataclasses import dataclass, field

from medgemma_dash.cli.output import say
from medgemma_dash.core.progress import time_in_words


def show_progress(done: int, total: int) -> None:
    """Rewrite the counter on standard error; silent when that is no terminal."""
    if sys.stderr is not None and sys.stderr.isatty():
        end = "\n" if done >= total else ""
        say(f"\r{done} of {total}", end=end, error=True)


@dataclass
class TimeLeft:
    """Counts and says the time that is left, going by what was done since it was made.

    A terminal's line is rewritten; elsewhere there is a line for each tenth of the work.
    """

    began: float = field(default_factory=time.monotonic)
    first: int = -1
    tenth: int = -1

    def __call__(self, done: int, total: int) -> None:
        """Progress of the work."""
        if self.first < 0:
            self.first, self.began = done, time.monotonic()
        new, left = done - self.first, ""
        if new and done < total:
            seconds = (time.monotonic() - self.began) / new * (total - done)
            left = f", {time_in_words(seconds)} left"
        if sys.stderr is not None and sys.stderr.isatty():
            end = "\n" if done >= total else ""
            say(f"\r{done} of {total}{left}".ljust(48), end=end, error=True)
        elif (tenth := 10 * done // max(total, 1)) > self.tenth:
            self.tenth = tenth
            say(f"{done} of {total}{left}", error=True)
