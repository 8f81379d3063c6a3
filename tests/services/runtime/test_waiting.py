"""What programs tell torch's threads before torch is there."""

from __future__ import annotations

import os
import subprocess
import sys

SAYS = """
import os, sys
from medgemma_dash import __main__
__main__.main = lambda: print(os.environ["GOMP_SPINCOUNT"], "torch" in sys.modules)
__main__.run()
"""


def test_a_command_has_them_turn_a_moment_only_unless_it_is_told_how_long() -> None:
    environment = {name: text for name, text in os.environ.items() if name != "GOMP_SPINCOUNT"}
    for given, turns in (({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7")):
        said = subprocess.run(
            [sys.executable, "-c", SAYS],
            env=environment | given,
            capture_output=True,
            text=True,
            check=True,
        )
        # Too late once torch has been imported.
        assert said.stdout.split() == [turns, "False"]
