"""`train-demo`: trains the demo model and reports as it goes."""

import argparse
import dataclasses

from medgemma_dash.cli.output import say
from medgemma_dash.demo.train import TrainingSettings, train


def run(options: argparse.Namespace) -> int:
    """Train and write the checkpoint folder."""
    settings = dataclasses.replace(TrainingSettings(), seed=options.seed)
    train(options.out, settings, say)
    return 0
