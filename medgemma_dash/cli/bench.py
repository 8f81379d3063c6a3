"""`bench`: the cost of an explanation, as ratios measured in one run."""

import argparse

from medgemma_dash.cli.chosen_model import chosen_model
from medgemma_dash.cli.output import say
from medgemma_dash.services import costs as benchmark


def run(options: argparse.Namespace) -> int:
    """Measure and print the table, line by line."""
    choice = chosen_model(options)
    benchmark.run(
        choice.name,
        device=choice.device,
        dtype=choice.dtype,
        shapes=(benchmark.REFERENCE_SHAPE, *(options.shape or ())),
        lengths=options.length or benchmark.LENGTHS,
        rounds=options.rounds,
        say=say,
    )
    return 0
