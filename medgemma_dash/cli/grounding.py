"""`grounding`: prints the table, and stores it where asked."""

import argparse
import dataclasses
import json

from medgemma_dash.cli.chosen_model import chosen_model
from medgemma_dash.cli.output import say, writing_to
from medgemma_dash.cli.progress import show_progress
from medgemma_dash.core.errors import SettingError
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED
from medgemma_dash.models.checkpoint import DEMO_FOLDER
from medgemma_dash.services.evaluation.grounding import measure_grounding
from medgemma_dash.services.evaluation.grounding_table import as_markdown, write_into_card
from medgemma_dash.services.exporting.files import write_together


def run(options: argparse.Namespace) -> int:
    """Measure, print, store."""
    if options.out:
        with writing_to(options.out):
            write_together(options.out.parent, {})
    model = chosen_model(options).load()
    if options.write_card and not model.is_demo:
        raise SettingError("--write-card writes the demo model's card: leave it out, or --model.")
    grounding = measure_grounding(
        model,
        count=options.count,
        method=options.method,
        first_seed=options.first_seed or FIRST_EVALUATION_SEED,
        progress=show_progress,
    )
    if options.out:
        with writing_to(options.out):
            text = json.dumps(dataclasses.asdict(grounding), indent=1) + "\n"
            write_together(options.out.parent, {options.out.name: text.encode()})
    say(as_markdown(grounding), end="")
    if options.write_card:
        write_into_card(grounding, DEMO_FOLDER / "README.md")
    return 0
