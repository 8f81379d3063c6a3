"""`intervene`: asks, removes a box of the radiograph or all around it, and writes what changes."""

import argparse

from medgemma_dash.cli.arguments import (
    Commands,
    add_command,
    add_model_options,
    add_question,
    add_record_out,
    add_target,
)
from medgemma_dash.cli.typed_values import read_box


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(
        commands, "intervene", "ask about a radiograph, and again without a part of it"
    )
    add_question(command)
    command.add_argument(
        "--box",
        type=read_box,
        required=True,
        metavar="X0,Y0,X1,Y1",
        help="in pixels of the image: the patches whose middle lies in it are removed",
    )
    command.add_argument(
        "--keep", action="store_true", help="keep them, and remove everything else"
    )
    command.add_argument(
        "--removal",
        default="mean token",
        metavar="REMOVAL",
        help='"mean token", "another patient", blur, "mean grey" or inpainting (%(default)s)',
    )
    add_target(command)
    command.add_argument(
        "--method", default="chefer", help="whose map the box is scored against (%(default)s)"
    )
    add_model_options(command)
    add_record_out(command)


def run(options: argparse.Namespace) -> int:
    """Ask, remove and write; what can be refused without a model is refused before it loads."""
    from medgemma_dash.cli.asked import answer_of, loaded, model_and_place, write
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import printable
    from medgemma_dash.core.errors import TargetError
    from medgemma_dash.core.geometry import Box, PatchGrid
    from medgemma_dash.core.removals import checked_removal
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.services.interventions.plan import mask_of
    from medgemma_dash.services.interventions.reading import lines
    from medgemma_dash.services.interventions.run import intervene

    checked_removal(options.removal)
    choice = model_and_place(options)
    radiograph = load_radiograph(options.image)
    left, top, right, bottom = options.box
    if left >= radiograph.width or top >= radiograph.height:
        raise TargetError(
            f"The box lies outside the radiograph of {radiograph.width} x {radiograph.height} "
            "pixels."
        )
    box = Box(top, left, min(bottom, float(radiograph.height)), min(right, float(radiograph.width)))
    model = loaded(choice, options)
    answer = answer_of(model, radiograph, options)
    grid = PatchGrid(*answer.grid, radiograph.height, radiograph.width)
    selected = mask_of(grid.cells_in(box), answer.grid)
    record = intervene(
        model,
        answer,
        remove=None if options.keep else selected,
        keep=selected if options.keep else None,
        removal=options.removal,
        token=options.token,
        phrase=options.phrase,
        span=options.span,
        margin=None if options.margin is None else tuple(options.margin),
        method=options.method,
        progress=show_progress,
    )
    write(record, options, ("", *map(printable, lines(record))))
    return 0
