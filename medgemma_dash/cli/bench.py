"""`bench`: the cost of an explanation, as ratios measured in one run."""

import argparse

from medgemma_dash.cli.chosen_model import chosen_model
from medgemma_dash.services import benchmark


def run(options: argparse.Namespace) -> int:
    """Measure and print the table."""
    choice = chosen_model(options)
    print(benchmark.run(choice.name, device=choice.device, dtype=choice.dtype))
    return 0
