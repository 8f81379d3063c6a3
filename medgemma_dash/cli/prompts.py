"""`prompts`: asks in other words and about changed copies, and writes what stays."""

import argparse

from medgemma_dash.cli.arguments import (
    Commands,
    add_command,
    add_image,
    add_length,
    add_method,
    add_model_options,
    add_record_out,
    add_setting,
)
from medgemma_dash.cli.typed_values import read_number


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(
        commands,
        "prompts",
        "ask about a radiograph in several phrasings, and compare the answers and maps",
    )
    add_image(command)
    which = command.add_mutually_exclusive_group()
    which.add_argument(
        "--variant",
        action="append",
        metavar="TEXT",
        help="the question in other words; may be repeated (by rule, where the question's form is "
        "known)",
    )
    which.add_argument(
        "--no-variants",
        dest="variant",
        action="store_const",
        const=[],
        help="the question alone, about changed copies of the image",
    )
    command.add_argument(
        "--perturb",
        action="append",
        default=[],
        metavar="NAME",
        help="also about a changed copy: noise, contrast, brightness, blur, rotation, pixels, or "
        "with an amount, such as brightness=0.9; may be repeated; standard: the published seven",
    )
    command.add_argument("--seed", type=read_number, default=0, metavar="N", help="of noise (0)")
    add_method(command)
    add_setting(command)
    add_length(command)
    add_model_options(command)
    add_record_out(command)


def run(options: argparse.Namespace) -> int:
    """Ask, compare and write; what can be refused without a model is refused before it loads."""
    from medgemma_dash.cli.asked import loaded, model_and_place, write
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import printable
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.imaging.perturbations import STANDARD
    from medgemma_dash.services.prompts.reading import summary_lines
    from medgemma_dash.services.prompts.run import prompt_sensitivity, prompts_plan

    choice = model_and_place(options)
    radiograph = load_radiograph(options.image)
    changes = [
        name
        for given in options.perturb
        for name in ([one.name for one in STANDARD] if given == "standard" else [given])
    ]
    arguments = (radiograph, options.question, options.variant, changes)
    prompts_plan(*arguments, method=options.method, options=dict(options.setting))
    record = prompt_sensitivity(
        loaded(choice, options),
        *arguments,
        method=options.method,
        options=dict(options.setting),
        seed=options.seed,
        max_new_tokens=options.max_new_tokens,
        progress=show_progress,
    )
    margins = [
        f"{row.margin:+8.2f}  {row.parsed:10} {row.name}"
        for row in record.tables["prompts"].itertuples()
    ]
    write(record, options, map(printable, ("", *margins, "", *summary_lines(record))))
    return 0
