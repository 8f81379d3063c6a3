"""What programs tell torch's threads before torch is there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COMMAND = """
import os, sys
from medgemma_dash import __main__
__main__.main = lambda: print(os.environ["GOMP_SPINCOUNT"], "torch" in sys.modules)
__main__.run()
"""
SERVER = """
import asyncio, os, sys
from medgemma_dash.ui.server import lifespan
async def serve():
    async with lifespan(None):
        print(os.environ["GOMP_SPINCOUNT"], "torch" in sys.modules)
asyncio.run(serve())
"""


@pytest.mark.parametrize("program", [COMMAND, SERVER], ids=["command", "server"])
def test_they_turn_a_moment_only_unless_the_environment_says_how_long(program: str) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "GOMP_SPINCOUNT"}
    for given, turns in (({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7")):
        said = subprocess.run(
            [sys.executable, "-c", program],
            env=environment | given,
            capture_output=True,
            text=True,
            check=True,
        )
        # Too late once torch has been imported.
        assert said.stdout.split() == [turns, "False"]
