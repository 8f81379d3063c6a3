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
    from medgemma_dash.cli.chosen_model import chosen_model
    from medgemma_dash.cli.output import say, say_lines
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import answered, asking, tested
    from medgemma_dash.core.notices import RESEARCH_NOTICE
    from medgemma_dash.core.record_files import check_place
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.services.explaining.asking import ask
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
    choice = chosen_model(options)
    check_place(options.out)
    radiograph = load_radiograph(options.image)
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
    record.save(options.out)
    say_lines(tested(record))
    say(f"Written   {options.out}")
    return 0
