"""Runs the command line: `medgemma-dash`, or `python -m medgemma_dash`."""

import sys

from medgemma_dash.cli import main
from medgemma_dash.services.runtime.allocator import keep_freed_memory
from medgemma_dash.services.runtime.waiting import wait_briefly


def run() -> int:
    """Run the command that the arguments name, in a process that keeps the memory it frees and
    whose threads share the cores.
    """
    keep_freed_memory()
    wait_briefly()
    return main()


if __name__ == "__main__":
    sys.exit(run())
