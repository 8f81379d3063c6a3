"""How long torch's threads wait for each other before they sleep."""

import os

# Of GNU's OpenMP, which reads it when torch is first imported: turns of a waiting thread. While
# they turn longer, on cores that a browser or another process shares, a click takes twenty times
# as long; when they sleep at once, twice as long.
NAME, TURNS = "GOMP_SPINCOUNT", "1000"


def wait_briefly() -> None:
    """Let threads turn only a moment, unless the environment says how long.

    The whole process is changed, so programs call this, before torch is there; the library does
    not.
    """
    os.environ.setdefault(NAME, TURNS)
