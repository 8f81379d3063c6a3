"""`explain`: asks, explains, writes three files and prints a summary."""

import argparse
from io import BytesIO

from PIL import Image

from medgemma_dash.cli.chosen_model import chosen_model
from medgemma_dash.cli.output import writing_to
from medgemma_dash.cli.progress import show_progress
from medgemma_dash.cli.summary import summary
from medgemma_dash.figures import overlay_picture
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.methods import get
from medgemma_dash.regions import zone_map, zone_table
from medgemma_dash.services.asking import ask
from medgemma_dash.services.explaining import explain, relevancy_tensor


def run(options: argparse.Namespace) -> int:
    """Everything that can be refused is looked at before the model is loaded."""
    get(options.method)
    radiograph = load_radiograph(options.image)
    with writing_to(options.out):
        options.out.mkdir(parents=True, exist_ok=True)
    model = chosen_model(options).load()
    answer = ask(model, radiograph, options.question, max_new_tokens=options.max_new_tokens)
    explanation = explain(
        model,
        answer,
        token=options.token,
        phrase=options.phrase,
        span=options.span,
        against=options.against,
        method=options.method,
    )
    relevancy = relevancy_tensor(model, answer, method=options.method, progress=show_progress)
    zones = zone_table(explanation.image, zone_map(radiograph, answer.grid, "fixed"))
    return 0
