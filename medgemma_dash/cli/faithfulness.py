"""`faithfulness`: asks, explains, removes what the maps mark, and writes what that did."""

import argparse

from medgemma_dash.cli.arguments import (
    Commands,
    add_command,
    add_model_options,
    add_question,
    add_record_out,
    add_target,
)
from medgemma_dash.cli.typed_values import read_count


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(
        commands, "faithfulness", "test on the model whether maps of its answer tell the truth"
    )
    add_question(command)
    add_target(command)
    command.add_argument(
        "--methods", nargs="+", metavar="METHOD", help="whose maps are tested (chefer attnlrp)"
    )
    command.add_argument(
        "--removals",
        nargs="+",
        metavar="REMOVAL",
        help='how the image is removed: "mean token", "another patient", blur, "mean grey", '
        "inpainting (the first three)",
    )
    command.add_argument(
        "--draws", type=read_count, metavar="N", help="random rankings beside them, even (10)"
    )
    command.add_argument(
        "--no-sanity", action="store_true", help="leave the methods' sanity checks out"
    )
    add_model_options(command)
    add_record_out(command)


def run(options: argparse.Namespace) -> int:
    """Ask, test and write; what can be refused without a model is refused before it loads."""
    from medgemma_dash.cli.asked import answer_of, loaded, model_and_place, write
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import tested
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.services.faithfulness.plan import (
        DRAWS,
        METHODS,
        USUAL_REMOVALS,
        checked_choices,
    )
    from medgemma_dash.services.faithfulness.run import faithfulness

    methods, removals = options.methods or METHODS, options.removals or USUAL_REMOVALS
    draws = options.draws or DRAWS
    checked_choices(methods, removals, draws)
    choice = model_and_place(options)
    radiograph = load_radiograph(options.image)
    model = loaded(choice, options)
    answer = answer_of(model, radiograph, options)
    record = faithfulness(
        model,
        answer,
        token=options.token,
        phrase=options.phrase,
        span=options.span,
        margin=None if options.margin is None else tuple(options.margin),
        methods=methods,
        removals=removals,
        draws=draws,
        sanity=not options.no_sanity,
        progress=show_progress,
    )
    write(record, options, tested(record))
    return 0
