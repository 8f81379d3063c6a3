"""`explain`: asks, explains, and writes what the pages let one take home.

Each line of its summary is printed as soon as it is known; where nobody reads them any more, the
files are written all the same.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

from medgemma_dash.cli.asked import answer_of, loaded
from medgemma_dash.cli.chosen_model import chosen_model
from medgemma_dash.cli.output import say, say_lines, writing_to
from medgemma_dash.cli.progress import show_progress
from medgemma_dash.cli.summary import explained
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.methods import get
from medgemma_dash.regions import DEFAULT_SCHEME, zone_map, zone_table
from medgemma_dash.reports.pictures import DEFAULT_DISPLAY
from medgemma_dash.reports.takeaway import Takeaway
from medgemma_dash.services.explaining.explain import every_token, explain_target
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.exporting.files import write_together


def run(options: argparse.Namespace) -> int:
    """Ask, explain and write; what can be refused without a model is refused before it loads."""
    method_options = dict(options.setting)
    get(options.method).spec.option_values(method_options)
    choice = chosen_model(options)
    radiograph = load_radiograph(options.image)
    _write(options.out, {})
    model = loaded(choice, options)
    answer = answer_of(model, radiograph, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the summary says it
        target = choose_target(
            model,
            answer,
            token=options.token,
            phrase=options.phrase,
            span=options.span,
            against=options.against,
            margin=None if options.margin is None else tuple(options.margin),
        )
    explanation = explain_target(
        model, answer, target, method=options.method, options=method_options
    )
    every = every_token(
        model, answer, method=options.method, progress=show_progress, **method_options
    )
    zones = zone_map(radiograph, answer.grid, DEFAULT_SCHEME)
    taken = Takeaway(
        explanation=explanation,
        answer=answer,
        zones=zone_table(explanation.image, zones),
        zones_note=zones.note,
        pixels=lambda: radiograph.pixels,
        display=DEFAULT_DISPLAY,
        relevancy=every.rows,
        filled=np.ones(len(every.rows), np.bool_),
        fine=every.fine,
        is_global=tuple(layer.is_global for layer in model.layout.layers),
    )
    files = {
        "explanation.json": taken.json().encode(),
        "relevancy.npz": taken.npz(),
        "overlay.png": taken.png(options.width_mm),
    }
    if options.report:
        files["report.html"] = taken.report().encode()
    _write(options.out, files)
    say_lines(explained(answer, explanation, taken.zones, taken.strength))
    say(f"Written   {', '.join(files)} in {options.out}")
    return 0


def _write(folder: Path, files: dict[str, bytes]) -> None:
    with writing_to(folder):
        write_together(folder, files)
