"""`prompts`: asks in other words and about changed copies, and writes what stays."""

import argparse
from pathlib import Path

from medgemma_dash.cli.arguments import Commands, add_command, add_model_options, add_record_out
from medgemma_dash.cli.typed_values import read_number, read_option


def add(commands: Commands) -> None:
    """Its arguments."""
    command = add_command(
        commands,
        "prompts",
        "ask about a radiograph in several phrasings, and compare the answers and maps",
    )
    command.add_argument("image", metavar="IMAGE", type=Path, help="PNG, JPEG or DICOM file")
    command.add_argument("question", metavar="QUESTION")
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
    command.add_argument("--method", default="chefer", help="attribution method (%(default)s)")
    command.add_argument(
        "--setting",
        type=read_option,
        action="append",
        default=[],
        metavar="OPTION=CHOICE",
        help="an option of the method, such as heads=max; may be repeated",
    )
    command.add_argument("--max-new-tokens", type=read_number, default=256, metavar="N")
    add_model_options(command)
    add_record_out(command)


def run(options: argparse.Namespace) -> int:
    """Ask, compare and write; what can be refused without a model is refused before it loads."""
    from medgemma_dash.cli.chosen_model import chosen_model
    from medgemma_dash.cli.output import say, say_lines
    from medgemma_dash.cli.progress import show_progress
    from medgemma_dash.cli.summary import asking, printable
    from medgemma_dash.core.notices import RESEARCH_NOTICE
    from medgemma_dash.core.record_files import check_place
    from medgemma_dash.imaging import load_radiograph
    from medgemma_dash.imaging.perturbations import STANDARD
    from medgemma_dash.services.prompts.reading import summary_lines
    from medgemma_dash.services.prompts.run import prompt_sensitivity, prompts_plan

    choice = chosen_model(options)
    check_place(options.out)
    radiograph = load_radiograph(options.image)
    changes = [
        name
        for given in options.perturb
        for name in ([one.name for one in STANDARD] if given == "standard" else [given])
    ]
    arguments = (radiograph, options.question, options.variant, changes)
    prompts_plan(*arguments, method=options.method, options=dict(options.setting))
    say(RESEARCH_NOTICE)
    model = choice.load()
    say_lines(asking(model, options.question))
    record = prompt_sensitivity(
        model,
        *arguments,
        method=options.method,
        options=dict(options.setting),
        seed=options.seed,
        max_new_tokens=options.max_new_tokens,
        progress=show_progress,
    )
    record.save(options.out)
    say("")
    for row in record.tables["prompts"].itertuples():
        say(f"{row.margin:+8.2f}  {row.parsed:10} {printable(row.name)}")
    say("")
    say_lines(printable(line) for line in summary_lines(record))
    say(f"Written   {options.out}")
    return 0
