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
    from medgemma_dash.cli.chosen_model import chosen_model
    from medgemma_dash.cli.output import say, say_lines
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import answered, asking, printable
    from medgemma_dash.core.errors import TargetError
    from medgemma_dash.core.geometry import Box, PatchGrid
    from medgemma_dash.core.notices import RESEARCH_NOTICE
    from medgemma_dash.core.record_files import check_place
    from medgemma_dash.core.removals import checked_removal
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.services.explaining.asking import ask
    from medgemma_dash.services.interventions.plan import mask_of
    from medgemma_dash.services.interventions.reading import lines
    from medgemma_dash.services.interventions.run import intervene

    checked_removal(options.removal)
    choice = chosen_model(options)
    check_place(options.out)
    radiograph = load_radiograph(options.image)
    left, top, right, bottom = options.box
    if left >= radiograph.width or top >= radiograph.height:
        raise TargetError(
            f"The box lies outside the radiograph of {radiograph.width} x {radiograph.height} "
            "pixels."
        )
    box = Box(top, left, min(bottom, float(radiograph.height)), min(right, float(radiograph.width)))
    say(RESEARCH_NOTICE)
    model = choice.load()
    say_lines(asking(model, options.question))
    answer = ask(
        model,
        radiograph,
        options.question,
        max_new_tokens=options.max_new_tokens,
        force=options.force,
    )
    say_lines(answered(answer))
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
    record.save(options.out)
    say("")
    say_lines(printable(line) for line in lines(record))
    say(f"Written   {options.out}")
    return 0
